//! The nearest known name to one that is unknown: for "did you mean".

/// The known name that is nearest to `written`, if one is near enough to be meant. The first of equals wins.
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Nobody misspells a name of this length beyond recognition, and the distance is quadratic.
    if written.len() > 64 {
        return None;
    }
    let limit = (written.chars().count() / 3).max(1);
    let candidates = known.into_iter().map(|name| (distance(written, name), name)).filter(|(distance, _)| *distance <= limit);
    candidates.min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
}

/// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours, each once. Case, `_` and `-` do not
/// count as a difference.
fn distance(a: &str, b: &str) -> usize {
    let fold = |text: &str| text.chars().map(|c| if c == '_' { '-' } else { c.to_ascii_lowercase() }).collect::<Vec<char>>();
    let (a, b) = (fold(a), fold(b));
    let mut before: Vec<usize> = Vec::new();
    let mut previous: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut current = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let substitution = previous[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            current[j] = substitution.min(previous[j] + 1).min(current[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                current[j] = current[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut previous, current);
    }
    previous[b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_slips_of_the_finger() {
        let known = ["listen", "limits", "relay", "route", "domain"];
        assert_eq!(nearest("listen", known), Some("listen"));
        assert_eq!(nearest("lsiten", known), Some("listen"));
        assert_eq!(nearest("rellay", known), Some("relay"));
        assert_eq!(nearest("Domain", known), Some("domain"));
        assert_eq!(nearest("catch_all", ["catch-all"]), Some("catch-all"));
    }

    #[test]
    fn stays_silent_where_nothing_is_near() {
        assert_eq!(nearest("smtpd_banner", ["site", "listen"]), None);
        assert_eq!(nearest("", ["site"]), None);
        assert_eq!(nearest(&"x".repeat(10_000), ["site"]), None);
    }
}
