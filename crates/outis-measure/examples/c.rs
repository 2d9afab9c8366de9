use outis_measure::*;
use outis_record::*;
use std::collections::BTreeMap;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let fps: f64 = a[2].parse().unwrap();
    let every: usize = a[3].parse().unwrap();
    let mut set = TrackerSettings::default();
    let mut lines = vec![];
    for kv in &a[4..] {
        let (k, v) = kv.split_once('=').unwrap();
        if k == "L" {
            let p: Vec<f32> = v.split(',').map(|x| x.parse().unwrap()).collect();
            lines.push(Line::new(ImagePoint::new(p[0], p[1]), ImagePoint::new(p[2], p[3])).unwrap());
            continue;
        }
        let f: f32 = v.parse().unwrap();
        match k {
            "new" => set.score_new = f,
            "min" => set.score_min = f,
            "still" => set.score_still = f,
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
            class: Class::from_index(c).unwrap(),
            score: Score::new(v[6]),
        });
    }
    let last = *m.keys().last().unwrap();
    let n = lines.len();
    let sc = Scene { lines, ..Default::default() };
    let mut t = Measurer::new(
        sc,
        Schema::new(n, 0, &[Class::Person], false).unwrap(),
        MeasureSettings { tracker: set, window_ms: u32::MAX, ..Default::default() },
    );
    let mut f = 1;
    while f <= last {
        t.look(MediaTime::from_seconds((f - 1) as f64 / fps), m.get(&f).map_or(&[][..], |v| v));
        f += every;
    }
    t.finish();
    let (w, _) = &t.take_closed()[0];
    for i in 0..n {
        let c = w.line(LineIndex(i as u16), Class::Person);
        println!("{} {}", c.forward, c.backward);
    }
}
