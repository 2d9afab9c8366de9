//! A camera that is moved, turned, covered or out of focus says so, and no other does: five minutes of a real street each,
//! of which something happens after two.

use std::fmt::Write as _;

use outis_eye::{run::Settings, schedule::LookRate};
use outis_record::Notice;

use crate::{
    clips::{Clips, cached},
    pipeline::intake,
    records::{nothing, ran, settings},
};

#[test]
fn another_view_that_lasts_is_a_fault_and_weather_is_none() {
    let clips = Clips::new();
    let source = cached("clips/vtest.avi");
    let after = "enable='gte(t,120)'";
    // (name, filters of ffmpeg, whether it is a fault)
    let cases = [
        ("as it is", "null".to_owned(), false),
        ("moved by 5 %", "crop=728:576:'if(gte(t,120),40,0)':0".to_owned(), true),
        ("tilted by 5 %", "crop=768:546:0:'if(gte(t,120),30,0)'".to_owned(), true),
        ("turned away", format!("hflip={after}"), true),
        ("covered, with a clock in the picture", format!("drawbox=0:40:iw:ih:gray:fill:{after}"), true),
        (
            "a bag over it, and noise",
            format!("drawbox=0:0:iw:ih:gray:fill:{after},noise=alls=20:allf=t:{after}"),
            true,
        ),
        ("out of focus", format!("gblur=sigma=40:{after}"), true),
        ("swaying", "crop=736:560:'16+8*sin(3*t)':'8+5*sin(2*t)'".to_owned(), false),
        (
            "dusk, and noise",
            format!("eq=brightness=-0.2:contrast=0.5:{after},noise=alls=20:allf=t:{after}"),
            false,
        ),
        ("a lamp that makes dark things bright", format!("negate={after}"), false),
        ("rain", format!("noise=alls=60:allf=t:{after}"), false),
        (
            "a lorry for a minute",
            "drawbox=0:0:iw:ih:white:fill:enable='between(t,120,180)'".to_owned(),
            false,
        ),
        (
            "a lorry that stays, before a third of it",
            format!("drawbox=0:150:iw/3:ih:white:fill:{after}"),
            false,
        ),
    ];
    let mut wrong = String::new();
    for (name, filters, expected) in cases {
        let arguments =
            format!("-stream_loop 4 -i {} -t 300 -vf fps=2,{filters} -c:v mpeg4 -q:v 4", source.display());
        let stream = intake(clips.ffmpeg("case.mkv", &arguments)).out;
        let settings = Settings { look_rate: LookRate::EveryFrame, ..settings() };
        let told = ran(&stream, settings, nothing).notices(Notice::CameraMoved);
        // From the fourth minute on once in ten seconds, to the end of the fifth.
        let right = if expected { (4..=8).contains(&told) } else { told == 0 };
        if !right {
            writeln!(wrong, "{name}: {told} times").expect("memory");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
