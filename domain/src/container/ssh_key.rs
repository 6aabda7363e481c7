/// Each type's name, and how base64 begins when the key itself says the same name.
const TYPES: [(&str, &str); 7] = [
    ("ssh-ed25519", "AAAAC3NzaC1lZDI1NTE5"),
    ("ssh-rsa", "AAAAB3NzaC1y"),
    ("ecdsa-sha2-nistp256", "AAAAE2VjZHNhLXNoYTItbmlzdHAy"),
    ("ecdsa-sha2-nistp384", "AAAAE2VjZHNhLXNoYTItbmlzdHAz"),
    ("ecdsa-sha2-nistp521", "AAAAE2VjZHNhLXNoYTItbmlzdHA1"),
    ("sk-ssh-ed25519@openssh.com", "AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29t"),
    ("sk-ecdsa-sha2-nistp256@openssh.com", "AAAAInNrLWVjZHNhLXNoYTItbmlzdHAyNTZAb3BlbnNzaC5j"),
];

/// What is wrong with a line of `authorized_keys`. Options before the key are not taken: they are commands.
pub(super) fn fault(line: &str) -> Option<&'static str> {
    if line.contains("PRIVATE KEY") {
        return Some("is a private key; keep it to yourself and give the public one");
    }
    if line.contains(['\n', '\r', '\0']) {
        return Some("is more than one line");
    }
    let mut parts = line.split_whitespace();
    let Some((_, begin)) = parts.next().and_then(|name| TYPES.iter().find(|(known, _)| *known == name)) else {
        return Some("does not begin with a known type of key");
    };
    let body = parts.next().unwrap_or_default();
    let digits = body.trim_end_matches('=');
    let is_base64 = body.len().is_multiple_of(4)
        && body.len() - digits.len() <= 2
        && digits.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/');
    // The shortest, Ed25519, has 68.
    (!is_base64 || body.len() < 68 || !body.starts_with(begin)).then_some("is cut off or damaged")
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJJ9vLf1YxJqbR9i0iFQ4uUe5WcW0Nn6n6RzGk0kq0Jt";

    #[test]
    fn a_public_key_passes_with_and_without_comment() {
        assert_eq!(fault(KEY), None);
        assert_eq!(fault(&format!("{KEY} ann@laptop")), None);
    }

    #[test]
    fn everything_else_is_told_apart() {
        assert!(fault("-----BEGIN OPENSSH PRIVATE KEY-----").is_some_and(|text| text.contains("private")));
        assert!(fault(&format!("{KEY}\n{KEY}")).is_some_and(|text| text.contains("line")));
        assert!(fault(&format!("command=\"id\" {KEY}")).is_some_and(|text| text.contains("type")));
        assert!(fault(&KEY[..40]).is_some_and(|text| text.contains("cut off")));
        assert!(fault(&KEY.replace("ssh-ed25519 ", "ssh-rsa ")).is_some_and(|text| text.contains("damaged")));
    }
}
