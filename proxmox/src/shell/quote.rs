//! The one place where an argument becomes shell text.

/// `'…'`, in which a POSIX shell changes nothing; a quote itself is closed, escaped and opened again.
pub(super) fn quote(argument: &[u8]) -> Vec<u8> {
    let mut quoted = Vec::with_capacity(argument.len() + 2);
    quoted.push(b'\'');
    for &byte in argument {
        match byte {
            b'\'' => quoted.extend_from_slice(b"'\\''"),
            byte => quoted.push(byte),
        }
    }
    quoted.push(b'\'');
    quoted
}

/// ssh2 sends text only: a script that is not UTF-8 travels as octal escapes and is put together by the shell.
pub(super) fn as_text(script: Vec<u8>) -> String {
    String::from_utf8(script).unwrap_or_else(|not_utf8| {
        let mut format = String::new();
        for &byte in not_utf8.as_bytes() {
            match byte {
                b'\\' => format.push_str("\\\\"),
                b'%' => format.push_str("%%"),
                byte if byte.is_ascii() => format.push(char::from(byte)),
                byte => format.push_str(&format!("\\{byte:03o}")),
            }
        }
        let format = String::from_utf8_lossy(&quote(format.as_bytes())).into_owned();
        format!("eval \"$(printf {format})\"")
    })
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    fn through_sh(script: &[u8]) -> Vec<u8> {
        let output = Command::new("sh").arg("-c").arg(OsStr::from_bytes(script)).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    fn echo(argument: &[u8]) -> Vec<u8> {
        [b"printf %s ".as_slice(), &quote(argument)].concat()
    }

    #[test]
    fn every_byte_but_nul() {
        let all: Vec<u8> = (1..=255).collect();
        assert_eq!(through_sh(&echo(&all)), all);
        assert_eq!(through_sh(as_text(echo(&all)).as_bytes()), all);
        for byte in 1..=255u8 {
            assert_eq!(through_sh(&echo(&[byte])), [byte]);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn any_bytes_survive(argument in proptest::collection::vec(1..=255u8, 0..200)) {
            prop_assert_eq!(through_sh(&echo(&argument)), argument.clone());
            prop_assert_eq!(through_sh(as_text(echo(&argument)).as_bytes()), argument);
        }

        #[test]
        fn quoting_may_be_nested(argument in "[ -~\n'\"\\\\$`!]{0,60}") {
            let inner = echo(argument.as_bytes());
            let outer = [b"sh -c ".as_slice(), &quote(&inner)].concat();
            prop_assert_eq!(through_sh(&outer), argument.into_bytes());
        }
    }
}
