// temp: MOT dets -> tracks
use outis_measure::*;
use outis_record::*;
use std::collections::BTreeMap;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let fps: f64 = a[2].parse().unwrap();
    let every: usize = a[3].parse().unwrap();
    let mut set = TrackerSettings::default();
    for kv in &a[4..] {
        let (k, v) = kv.split_once('=').unwrap();
        let f: f32 = v.parse().unwrap();
        match k {
            "new" => set.score_new = f,
            "min" => set.score_min = f,
            "unseen" => set.unseen_max_s = f,
            "lag" => set.lag_s = f,
            "jit" => set.jitter = f,
            "life" => set.life_min_s = f,
            "n" => set.sightings_min = f as u16,
            _ => panic!(),
        }
    }
    let mut m: BTreeMap<usize, Vec<Detection>> = BTreeMap::new();
    for l in std::fs::read_to_string(&a[1]).unwrap().lines() {
        let v: Vec<f32> = l.split(',').map(|x| x.parse().unwrap()).collect();
        let c = match v[7] as i32 {
            1 => 1,
            2 => 2,
            3 => 3,
            5 => 4,
            7 => 5,
            _ => 0usize,
        };
        m.entry(v[0] as usize).or_default().push(Detection {
            bbox: ImageBox::from_left_top_width_height(v[2], v[3], v[4], v[5]),
            class: Class::from_index(c).unwrap_or(Class::Person),
            score: Score::new(v[6]),
        });
    }
    let last = *m.keys().last().unwrap();
    let mut t = Tracker::new(set);
    let t0 = std::time::Instant::now();
    let mut n = 0;
    let mut f = 1;
    while f <= last {
        t.look(MediaTime::from_seconds((f - 1) as f64 / fps), m.get(&f).map_or(&[][..], |v| v));
        n += 1;
        f += every;
    }
    t.finish();
    eprintln!("{} us/look", t0.elapsed().as_secs_f64() * 1e6 / n as f64);
    for p in t.take_points() {
        if p.class != Class::Person {
            continue;
        }
        println!(
            "{},{},{:.2},{:.2},{:.2},{:.2},{:.3},-1,-1,-1",
            (p.at.as_seconds() * fps).round() as usize + 1,
            p.track.number(),
            p.bbox.left,
            p.bbox.top,
            p.bbox.width,
            p.bbox.height,
            p.score.get()
        );
    }
}
