//! The Debian package: made of the programs as they are built, unpacked, and run.

use std::{path::Path, process::Command};

use crate::stage::{Stage, program};

const CONFIGURATION: &str = "listen = \"127.0.0.1:0\"\nstate = \"state\"\noutput = { json_lines = \"w.jsonl\" }\n\n[[camera]]\n\
                             name = \"campus\"\nsource = \"vtest.avi\"\nprofile = \"exact\"\nwindow_s = 900\npace = 0\n";

fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn what_is_installed_runs() {
    let stage = Stage::new();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/package");
    let package = said(Command::new(script).arg(program().parent().unwrap()).arg(stage.path("package")));
    let package = Path::new(package.trim());

    let listed = said(Command::new("dpkg-deb").arg("--contents").arg(package));
    for file in [
        "usr/bin/outis -> ../lib/outis/outis",
        "usr/lib/outis/outis-intake",
        "usr/lib/outis/outis-eye",
        "usr/lib/outis/outis-still",
        "usr/lib/outis/outis-adversary",
        "usr/lib/systemd/system/outis-watch.service",
        "usr/lib/sysusers.d/outis.conf",
        "usr/share/doc/outis/copyright",
        "usr/share/doc/outis/examples/one-camera.toml",
    ] {
        assert!(listed.contains(&format!(" ./{file}\n")), "{file} in\n{listed}");
    }
    assert!(!listed.contains(".onnx") && listed.lines().all(|line| line.contains(" root/root ")), "{listed}");
    let field = |name| said(Command::new("dpkg-deb").arg("--field").arg(package).arg(name));
    assert!(field("Depends").contains("libavcodec") && field("Depends").contains("libc6"));
    assert_eq!(field("Version").trim(), env!("CARGO_PKG_VERSION"));

    said(Command::new("dpkg-deb").arg("--extract").arg(package).arg(stage.path("root")));
    let unit = stage.read("root/usr/lib/systemd/system/outis-watch.service");
    for line in
        ["User=outis", "ExecStart=/usr/bin/outis watch", "ExecReload=", "ConditionPathExists=/etc/outis/"]
    {
        assert!(unit.contains(&format!("\n{line}")), "{line} in\n{unit}");
    }
    assert!(!unit.contains("/opt/") && !unit.contains("DynamicUser"), "{unit}");

    stage.short_clip(2);
    stage.write("w.toml", CONFIGURATION);
    let mut installed = Command::new(stage.path("root/usr/bin/outis"));
    installed.args(["watch", "w.toml"]).current_dir(stage.path(""));
    let ended = stage.start(&mut installed).end();
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(stage.read("w.jsonl").lines().count(), 1);
}
