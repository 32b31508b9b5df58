//! A ring from a configuration: what a file may hold, and what is said of one that holds something else. Environment variables are
//! looked at in `src/ring/config.rs`, since no test here may set one.

use std::fs;
use std::path::Path;

use client_registry::ring::{RingConfig, RingConfigError, SecretSource, SharedSecret, Slot};
use client_registry::secret::KeyEncoding;
use client_registry::{ClientSecret, ErrorKind, SecretRing};

use super::{Text, id, sign, text};
use crate::support::Scratch;

fn configured(primary: &Path, secondary: &Path) -> RingConfig {
    RingConfig::new(id(), SecretSource::file(primary)).with_secondary(SecretSource::file(secondary))
}

fn verified(ring: &SecretRing, secret: &Text) -> Option<Slot> {
    ring.verify_mac(&sign(secret, b"message"), b"message").ok()
}

/// What is wrong, once in place of the primary client secret and once in place of the secondary one.
fn wrong(scratch: &Scratch, path: &Path) -> [RingConfigError; 2] {
    let good = scratch.path().join("good");
    fs::write(&good, text(1, KeyEncoding::Utf8).0.as_bytes()).unwrap();
    [configured(path, &good), configured(&good, path)]
        .map(|config| SecretRing::from_config(config).unwrap_err())
}

#[test]
fn rule_17_a_file_is_read_without_what_surrounds_its_client_secret() {
    let scratch = Scratch::in_memory();
    let [primary, secondary] = ["primary", "secondary"].map(|name| scratch.path().join(name));
    let (one, two) = (text(1, KeyEncoding::Utf8), text(2, KeyEncoding::Utf8));
    let padded = " ".repeat(4096 - 40);
    for (before, after) in [
        ("", ""),
        ("", "\n"),
        ("", "\r\n"),
        ("\u{feff}", ""),
        ("\u{feff} ", "\n\n"),
        ("\n\u{feff}", " \t"),
        ("", &padded),
    ] {
        fs::write(&primary, [before, &one.0, after].concat()).unwrap();
        fs::write(&secondary, [before, &two.0, after].concat()).unwrap();
        let ring = SecretRing::from_config(configured(&primary, &secondary)).unwrap();
        assert_eq!(ring.client_id(), id());
        assert_eq!(verified(&ring, &one), Some(Slot::Primary), "{before:?} {after:?}");
        assert_eq!(verified(&ring, &two), Some(Slot::Secondary), "{before:?} {after:?}");
    }
}

#[test]
fn rule_17_a_secondary_source_that_holds_nothing_else_is_none() {
    let scratch = Scratch::in_memory();
    let [primary, secondary] = ["primary", "secondary"].map(|name| scratch.path().join(name));
    let one = text(1, KeyEncoding::Utf8);
    fs::write(&primary, one.0.as_bytes()).unwrap();
    let has_secondary = || {
        let ring = SecretRing::from_config(configured(&primary, &secondary)).unwrap();
        assert_eq!(verified(&ring, &one), Some(Slot::Primary));
        ring.state().secondary.is_some()
    };
    assert!(!has_secondary(), "there is no file");
    for content in ["", "\n", "\u{feff}\r\n", &one.0, &format!("{}\n", *one.0)] {
        fs::write(&secondary, content).unwrap();
        assert!(!has_secondary(), "{}", content.len());
    }
    fs::write(&secondary, text(2, KeyEncoding::Utf8).0.as_bytes()).unwrap();
    assert!(has_secondary(), "or this test cannot fail");
    let directory = scratch.path().join("not").join("there");
    let ring = SecretRing::from_config(configured(&primary, &directory)).unwrap();
    assert!(ring.state().secondary.is_none());
}

#[test]
fn each_source_has_its_key_encoding() {
    let scratch = Scratch::in_memory();
    let [primary, secondary] = ["primary", "secondary"].map(|name| scratch.path().join(name));
    let (one, two) = (text(1, KeyEncoding::Base64), text(2, KeyEncoding::Utf8));
    fs::write(&primary, one.0.as_bytes()).unwrap();
    fs::write(&secondary, two.0.as_bytes()).unwrap();
    let config = RingConfig::new(id(), SecretSource::file(&primary).with_key_encoding(KeyEncoding::Base64))
        .with_secondary(SecretSource::file(&secondary));
    let ring = SecretRing::from_config(config.clone()).unwrap();
    assert_eq!([&one, &two].map(|text| verified(&ring, text)), [Some(Slot::Primary), Some(Slot::Secondary)]);

    fs::write(&primary, two.0.as_bytes()).unwrap();
    let error = SecretRing::from_config(config).unwrap_err();
    let RingConfigError::Invalid { source, .. } = &error else { panic!("{error:?}") };
    assert_eq!(*source, SharedSecret::new(parsed(&two), KeyEncoding::Base64).unwrap_err());
}

fn parsed(text: &Text) -> ClientSecret {
    ClientSecret::parse(&text.0).unwrap()
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_path() {
    let scratch = Scratch::in_memory();
    let path = scratch.path().join("client-secret");
    let (one, two) = (text(7, KeyEncoding::Utf8).0, text(8, KeyEncoding::Utf8).0);
    let utf16: Vec<u8> = one.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let utf16 = [b"\xff\xfe", &utf16[..]].concat();
    let long = [one.as_bytes(), &[b' '; 4096][..]].concat();
    let cases: [(&[u8], &str, &str); 5] = [
        (&utf16, "does not hold UTF-8 text: write the client secret there as UTF-8", "source_not_unicode"),
        (
            &long[..4097],
            "has more than 4 KiB: put the client secret there, and nothing else",
            "source_too_large",
        ),
        (one[..23].as_bytes(), "does not hold a valid client secret", "source_invalid"),
        (
            &[one.as_bytes(), b"\n", two.as_bytes()].concat(),
            "does not hold a valid client secret",
            "source_invalid",
        ),
        (&[one.as_bytes(), b"\0"].concat(), "does not hold a valid client secret", "source_invalid"),
    ];
    for (content, says, code) in cases {
        fs::write(&path, content).unwrap();
        for error in wrong(&scratch, &path) {
            assert_eq!(error.to_string(), format!("the file {} {says}", path.display()));
            assert_eq!((error.code(), error.kind()), (code, ErrorKind::Invalid));
            let source = std::error::Error::source(&error).map(ToString::to_string);
            for piece in [&one[..6], &one[17..23], &two[..6]] {
                assert!(!format!("{error:?} {source:?}").contains(piece), "{error:?}");
            }
        }
    }
    assert_eq!(
        source_of(&wrong(&scratch, &path)[0]).unwrap().split(';').next(),
        Some("client secret has a character that is not allowed, at byte 40")
    );
}

fn source_of(error: &RingConfigError) -> Option<String> {
    std::error::Error::source(error).map(ToString::to_string)
}

#[test]
fn a_primary_client_secret_has_to_be_there() {
    let scratch = Scratch::in_memory();
    let [path, secondary] = ["client-secret", "secondary"].map(|name| scratch.path().join(name));
    fs::write(&secondary, text(2, KeyEncoding::Utf8).0.as_bytes()).unwrap();
    let error = || SecretRing::from_config(configured(&path, &secondary)).unwrap_err();
    let (missing, file) = (error(), path.display());
    assert_eq!(missing.to_string(), format!("the file {file} does not exist: put the client secret there"));
    assert_eq!(missing.code(), "source_missing");
    for content in ["", " \r\n", "\u{feff}"] {
        fs::write(&path, content).unwrap();
        assert_eq!(error().to_string(), format!("the file {file} is empty: put the client secret there"));
        assert_eq!(error().code(), "source_empty");
    }
}

#[test]
fn what_is_no_file_is_not_read() {
    let scratch = Scratch::in_memory();
    let directory = scratch.path().join("directory");
    fs::create_dir(&directory).unwrap();
    for error in wrong(&scratch, &directory) {
        let says = format!(
            "the file {} is not a regular file: name a file that holds the client secret",
            directory.display()
        );
        assert_eq!((error.to_string(), error.code()), (says, "source_not_a_file"));
    }
    // A path through a file.
    let beneath = scratch.path().join("good").join("client-secret");
    for error in wrong(&scratch, &beneath) {
        assert_eq!((error.code(), error.kind()), ("source_unreadable", ErrorKind::Unavailable));
        let says =
            "the file at that path could not be read (not a directory): check that this process may read it";
        assert_eq!(error.to_string(), says);
    }
}

/// A device that never ends, and a pipe that nobody writes to.
#[cfg(unix)]
#[test]
fn a_device_or_a_pipe_is_not_waited_for() {
    let scratch = Scratch::in_memory();
    let pipe = scratch.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for path in [Path::new("/dev/zero"), &pipe] {
        for error in wrong(&scratch, path) {
            assert_eq!(error.code(), "source_not_a_file");
        }
    }
    let link = scratch.path().join("link");
    std::os::unix::fs::symlink(scratch.path().join("good"), &link).unwrap();
    let ring = SecretRing::from_config(RingConfig::new(id(), SecretSource::file(link))).unwrap();
    assert_eq!(verified(&ring, &text(1, KeyEncoding::Utf8)), Some(Slot::Primary));
}

/// One that says that it is empty.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_does_not_tell_its_length_is_read_up_to_the_limit() {
    let path = Path::new("/proc/self/smaps");
    assert_eq!(fs::metadata(path).unwrap().len(), 0);
    for error in wrong(&Scratch::in_memory(), path) {
        assert_eq!(error.code(), "source_too_large");
    }
}

/// A client secret that was passed in place of the path.
#[test]
fn rule_08_a_path_that_is_a_client_secret_is_not_repeated() {
    let generated = "crs_0123456789abcdefghijABCDEFGHIJ0123456789abcdefghij";
    let (plain, base64) = (text(1, KeyEncoding::Utf8).0, text(1, KeyEncoding::Base64).0);
    let slashes = format!("/{}/{}", &base64[..20], &base64[20..]);
    let in_directory = format!("/dev/{generated}");
    for path in [generated, &plain, &base64, &slashes, &format!("/{}", *base64), &in_directory] {
        let config = RingConfig::new(id(), SecretSource::file(path));
        let error = SecretRing::from_config(config.clone()).unwrap_err();
        let says = "the file at that path does not exist: put the client secret there";
        assert_eq!(error.to_string(), says);
        for piece in [&path[6..14], &path[path.len() - 8..]] {
            assert!(!format!("{error:?} {config:?}").contains(piece), "{error:?} {config:?}");
        }
    }
    let short = RingConfig::new(id(), SecretSource::file("no-such-file"));
    let error = SecretRing::from_config(short).unwrap_err();
    assert!(error.to_string().starts_with("the file no-such-file does not exist"), "{error}");
}
