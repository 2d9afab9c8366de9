//! People who walk before simulated cameras: many heights, slants and lenses, so that nothing is made for one clip.
//!
//! Their bodies have feet that step and heads that are round; the boxes are cut from these, not from the model that is
//! fitted to them.

use outis_measure::{Detection, GroundPlane, GroundPoint, ImageBox, ImagePoint, MediaTime, Score};
use outis_record::Class;

use crate::random::Random;

/// The simulated picture.
pub const PICTURE_PX: (f32, f32) = (1280.0, 720.0);

/// Looks in a second, and how long people are watched, in seconds.
const LOOKS_PER_S: f64 = 5.0;
const WATCHED_S: f64 = 600.0;

/// How many set out in a minute.
const PEOPLE_PER_MINUTE: f64 = 12.0;

/// Nobody is followed for longer than this, in seconds, or seen farther away, in metres.
const WALK_S: f64 = 40.0;
const FAR_M: f64 = 40.0;

/// Jitter of each edge of a box, as a share of its height.
const EDGE_SD: f64 = 0.03;

/// A camera of the test.
#[derive(Debug, Clone, Copy)]
pub struct Camera {
    /// Metres above the ground.
    pub height_m: f64,
    /// Degrees below the horizon.
    pub pitch_deg: f64,
    /// Degrees across.
    pub view_deg: f64,
    /// Degrees that the horizon is turned.
    pub roll_deg: f64,
}

impl Camera {
    /// Focal length in pixels.
    pub fn focal_px(&self) -> f64 {
        f64::from(PICTURE_PX.0) / 2.0 / (self.view_deg.to_radians() / 2.0).tan()
    }

    /// Right, down, ahead from ground axes: x to the right, y ahead, z up, the camera above the origin.
    fn axes(&self) -> [[f64; 3]; 3] {
        let (sp, cp) = self.pitch_deg.to_radians().sin_cos();
        let (sr, cr) = self.roll_deg.to_radians().sin_cos();
        let (right, down, ahead) = ([1.0, 0.0, 0.0], [0.0, -sp, -cp], [0.0, cp, -sp]);
        let mix = |a: f64, u: [f64; 3], b: f64, v: [f64; 3]| [0, 1, 2].map(|i| a * u[i] + b * v[i]);
        [mix(cr, right, sr, down), mix(-sr, right, cr, down), ahead]
    }

    /// The picture of a point, and how far into the scene it is.
    fn project(&self, point_m: [f64; 3]) -> Option<([f64; 2], f64)> {
        let from_camera = [point_m[0], point_m[1], point_m[2] - self.height_m];
        let [x, y, depth] = self.axes().map(|axis| (0..3).map(|i| axis[i] * from_camera[i]).sum::<f64>());
        let f = self.focal_px();
        let (cx, cy) = (f64::from(PICTURE_PX.0) / 2.0, f64::from(PICTURE_PX.1) / 2.0);
        (depth > 0.5).then(|| ([cx + f * x / depth, cy + f * y / depth], depth))
    }

    /// The true ground, from four of its points in the picture.
    pub fn ground_plane(&self) -> Option<GroundPlane> {
        self.typed_plane(|ground| ground)
    }

    /// The ground as somebody types it who takes four points for others.
    pub fn typed_plane(&self, typed: impl Fn(GroundPoint) -> GroundPoint) -> Option<GroundPlane> {
        let ahead_m = self.height_m / self.pitch_deg.to_radians().tan();
        let near_m = 0.7 * ahead_m;
        let corners = [(-1.0, near_m), (1.0, near_m), (1.0, 1.2 * ahead_m), (-1.0, 1.2 * ahead_m)];
        let mut image = [ImagePoint::default(); 4];
        let mut ground = [GroundPoint::default(); 4];
        for (i, (x_m, y_m)) in corners.into_iter().enumerate() {
            let ([x, y], _) = self.project([x_m, y_m, 0.0])?;
            image[i] = ImagePoint::new(x as f32, y as f32);
            ground[i] = typed(GroundPoint { x_m: x_m as f32, y_m: y_m as f32 });
        }
        GroundPlane::from_points(image, ground).ok()
    }
}

struct Walker {
    start_s: f64,
    from_m: [f64; 2],
    velocity_m_s: [f64; 2],
    height_m: f64,
}

/// What a detector says of the people before a camera, look by look.
pub fn looks(camera: &Camera, seed: u64) -> Vec<(MediaTime, Vec<Detection>)> {
    let mut random = Random::named(seed, 0x6f75_7469);
    let walkers: Vec<Walker> = walkers(camera, &mut random);
    let looks = (WATCHED_S * LOOKS_PER_S) as u32;
    (0..looks)
        .map(|look| {
            let at_s = f64::from(look) / LOOKS_PER_S;
            let seen = walkers.iter().filter(|w| (w.start_s..w.start_s + WALK_S).contains(&at_s));
            let boxes: Vec<Detection> =
                seen.filter_map(|walker| detection(camera, walker, at_s, &mut random)).collect();
            (MediaTime::from_seconds(at_s), boxes)
        })
        .collect()
}

fn walkers(camera: &Camera, random: &mut Random) -> Vec<Walker> {
    let count = (PEOPLE_PER_MINUTE * WATCHED_S / 60.0) as u32;
    let centre_m = camera.height_m / camera.pitch_deg.to_radians().tan();
    (0..count)
        .filter_map(|_| {
            // Through somewhere in view, in any direction.
            let through = (0..50).find_map(|_| {
                let point =
                    [random.between(-15.0, 15.0), random.between(0.2, 2.0) * centre_m.min(FAR_M / 2.0)];
                let ([x, y], _) = camera.project([point[0], point[1], 0.0])?;
                let inside = (0.0..1280.0).contains(&x) && (0.0..720.0).contains(&y);
                inside.then_some(point)
            })?;
            let speed = (1.34 + 0.26 * random.normal()).max(0.5);
            let (sin, cos) = random.between(0.0, std::f64::consts::TAU).sin_cos();
            let velocity_m_s = [speed * cos, speed * sin];
            let from_m = [0, 1].map(|i| through[i] - velocity_m_s[i] * WALK_S / 2.0);
            // Men and women, barefoot heights of Europe less what the gait takes, and shoes.
            let mean = if random.chance(0.5) { 1.76 } else { 1.64 };
            let height_m = mean + 0.065 * random.normal();
            Some(Walker { start_s: random.between(0.0, WATCHED_S), from_m, velocity_m_s, height_m })
        })
        .collect()
}

fn detection(camera: &Camera, walker: &Walker, at_s: f64, random: &mut Random) -> Option<Detection> {
    let since_s = at_s - walker.start_s;
    let [x, y] = [0, 1].map(|i| walker.from_m[i] + walker.velocity_m_s[i] * since_s);
    let speed = walker.velocity_m_s[0].hypot(walker.velocity_m_s[1]);
    let [ux, uy] = walker.velocity_m_s.map(|v| v / speed);
    let mut points = Vec::new();
    // Two feet half a stride to the fore and aft, each a shoe of 27 by 10 cm.
    let stride_m = 0.35 * (std::f64::consts::TAU * 0.9 * since_s).sin();
    for fore_m in [stride_m, -stride_m] {
        for (along, across) in [(0.135, 0.05), (0.135, -0.05), (-0.135, 0.05), (-0.135, -0.05)] {
            let (a, b) = (fore_m + along, across);
            points.push([x + a * ux - b * uy, y + a * uy + b * ux, 0.0]);
        }
    }
    // A head of 22 cm, and shoulders of 45 cm at five sixths of the height.
    for (sin, cos) in (0..8).map(|i| f64::from(i) * std::f64::consts::FRAC_PI_4).map(f64::sin_cos) {
        for (sin_up, cos_up) in [0.0_f64, 0.8, 1.57].map(f64::sin_cos) {
            let (r, up) = (0.11 * cos_up, walker.height_m - 0.11 + 0.11 * sin_up);
            points.push([x + r * cos, y + r * sin, up]);
        }
        points.push([x + 0.225 * cos, y + 0.225 * sin, walker.height_m * 5.0 / 6.0]);
    }
    let (_, depth) = camera.project([x, y, 0.0])?;
    if depth > FAR_M {
        return None;
    }
    let pixels: Vec<[f64; 2]> = points
        .into_iter()
        .map(|point| camera.project(point).map(|(pixel, _)| pixel))
        .collect::<Option<_>>()?;
    let end =
        |axis: usize, pick: fn(f64, f64) -> f64, from: f64| pixels.iter().map(|p| p[axis]).fold(from, pick);
    let (left, right) = (end(0, f64::min, f64::INFINITY), end(0, f64::max, f64::NEG_INFINITY));
    let (top, bottom) = (end(1, f64::min, f64::INFINITY), end(1, f64::max, f64::NEG_INFINITY));
    let sd = EDGE_SD * (bottom - top);
    let mut edge = |value: f64, most: f32| (value + sd * random.normal()).clamp(0.0, f64::from(most)) as f32;
    let (left, right) = (edge(left, PICTURE_PX.0), edge(right, PICTURE_PX.0));
    let (top, bottom) = (edge(top, PICTURE_PX.1), edge(bottom, PICTURE_PX.1));
    // Detectors find little that is lower than 20 px or mostly out of the picture.
    let bbox = ImageBox::from_left_top_right_bottom(left, top, right, bottom);
    let found = bbox.height >= 20.0 && bbox.width >= 4.0;
    found.then_some(Detection { bbox, class: Class::Person, score: Score::new(0.8) })
}
