//! The tag list of a signature (RFC 6376 3.2), read as strictly as it is written: whoever reads it more loosely than its author
//! verifies another signature than the one that was made.

/// The tags, in order; `None` where the text is no tag list, or names a tag twice.
pub fn tags(value: &[u8]) -> Option<Vec<(&str, String)>> {
    let text = std::str::from_utf8(value).ok()?.trim();
    let mut tags: Vec<(&str, String)> = Vec::new();
    // One semicolon may stand behind the last tag.
    for tag in text.strip_suffix(';').unwrap_or(text).split(';') {
        let (name, value) = tag.split_once('=')?;
        let name = name.trim();
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'_');
        if !is_name || tags.iter().any(|(known, _)| *known == name) {
            return None;
        }
        tags.push((name, value.split_ascii_whitespace().collect()));
    }
    Some(tags)
}

/// One of them. Names are compared with their case (RFC 6376 3.2).
pub fn tag<'a>(tags: &'a [(&str, String)], name: &str) -> Option<&'a str> {
    tags.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_strictly() {
        let found = tags(b" a=rsa-sha256; h=from:\r\n\tto ;b= ;\r\n").unwrap();
        assert_eq!(found, [("a", "rsa-sha256".to_owned()), ("h", "from:to".to_owned()), ("b", String::new())]);
        assert_eq!(tag(&found, "h"), Some("from:to"));
        assert_eq!(tag(&found, "A"), None);
        for wrong in ["", ";", "a=1;;b=2", "a=1;a=2", "a", "1=a", "a-b=c", "=a", "a=1; b"] {
            assert_eq!(tags(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
