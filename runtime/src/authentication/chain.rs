//! What those who sealed a message found out about it before they changed it (RFC 8617 4.1.1), and whether a site that trusts some
//! of them takes their word. Whether the chain holds is for [`super::verify`]; what follows from it for the decision.

use postern_schema::decide::ArcFact;
use postern_schema::name::Domain;

/// One link of a chain that holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sealed {
    /// Who sealed it: `d=` of the seal.
    pub sealer: Domain,
    /// What it says that it found: the value of its ARC-Authentication-Results.
    pub results: Box<str>,
}

/// What a chain comes to, newest link first: whoever is trusted is believed, and so is whoever stands behind none but trusted ones.
/// Each of the authors has to be vouched for.
pub fn word_of(chain: &[Sealed], trusted: &[Domain], authors: &[Domain]) -> ArcFact {
    let believed = || chain.iter().take_while(|link| trusted.contains(&link.sealer));
    let is_vouched = |author: &Domain| believed().any(|link| vouches(&link.results, author));
    if !authors.is_empty() && authors.iter().all(is_vouched) { ArcFact::Vouched } else { ArcFact::Unvouched }
}

/// Whether results say that DMARC passed for the author, or that SPF or DKIM passed for its domain (aligned as DMARC does it, relaxed: one
/// domain lies within the other).
fn vouches(results: &str, author: &Domain) -> bool {
    let plain = without_comments(results);
    // `i=1; mx.example.org; spf=pass smtp.mailfrom=…`: an instance and the host that says so come first.
    plain.split(';').skip(2).any(|result| {
        let mut words = result.split_ascii_whitespace();
        let method = words.next().and_then(|word| word.split_once('='));
        let Some((method, "pass")) = method.map(|(method, result)| (method.to_ascii_lowercase(), result)) else { return false };
        let of = |names: &[&str]| {
            let mut found = words.clone().filter_map(|word| word.split_once('='));
            let value = found.find(|(name, _)| names.iter().any(|wanted| wanted.eq_ignore_ascii_case(name)))?.1.trim_matches('"');
            Some(Domain::parse(value.rsplit_once('@').map_or(value, |(_, domain)| domain)).ok())
        };
        let is_aligned = |domain: Option<Option<Domain>>| {
            domain.flatten().is_some_and(|domain| domain.is_within(author) || author.is_within(&domain))
        };
        match &*method {
            // Of whom it does not say, it says of the author.
            "dmarc" => of(&["header.from"]).is_none_or(|domain| domain.as_ref() == Some(author)),
            "dkim" => is_aligned(of(&["header.d", "header.i"])),
            "spf" => is_aligned(of(&["smtp.mailfrom", "smtp.mfrom"])),
            _ => false,
        }
    })
}

/// Text without comments (RFC 5322 3.2.2), and without semicolons in quotes.
fn without_comments(text: &str) -> String {
    let (mut depth, mut is_quoted) = (0usize, false);
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' if depth > 0 || is_quoted => drop(chars.next()),
            '"' if depth == 0 => is_quoted = !is_quoted,
            '(' if !is_quoted => depth += 1,
            ')' if !is_quoted => depth = depth.saturating_sub(1),
            ';' if is_quoted => out.push('_'),
            _ if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain(text: &str) -> Domain {
        Domain::parse(text).unwrap()
    }

    fn link(sealer: &str, results: &str) -> Sealed {
        Sealed { sealer: domain(sealer), results: format!(" i=1; mx.{sealer};\r\n\t{results}\r\n").into() }
    }

    #[test]
    fn the_word_of_those_who_are_trusted_counts() {
        let trusted = [domain("a.example"), domain("b.example")];
        let authors = [domain("author.example")];
        let good = "dmarc=pass (p=reject) header.from=author.example";
        let fact = |chain: &[Sealed]| word_of(chain, &trusted, &authors) == ArcFact::Vouched;
        assert!(!fact(&[]));
        assert!(fact(&[link("a.example", good)]));
        assert!(!fact(&[link("x.example", good)]), "a stranger's word is none");
        assert!(fact(&[link("b.example", "dmarc=fail"), link("a.example", good)]));
        assert!(!fact(&[link("x.example", "dmarc=fail"), link("a.example", good)]), "a stranger had it since");
        assert!(fact(&[link("a.example", good), link("x.example", "dmarc=fail")]));
        assert_eq!(word_of(&[link("a.example", good)], &trusted, &[]), ArcFact::Unvouched);
        let two = [domain("author.example"), domain("other.example")];
        assert_eq!(word_of(&[link("a.example", good)], &trusted, &two), ArcFact::Unvouched, "each author counts");
    }

    #[test]
    fn results_are_read_as_they_are_written() {
        let says = |results: &str| vouches(&link("a.example", results).results, &domain("author.example"));
        for good in [
            "dmarc=pass",
            "spf=fail; dkim=fail; DMARC=pass header.from=author.example",
            "dkim=pass (2048-bit key; unprotected) header.d=author.example header.s=x",
            "dkim=pass header.i=@news.author.example",
            "spf=pass smtp.mailfrom=\"x@author.example\"",
            "spf=pass smtp.mfrom=x@bounces.author.example",
        ] {
            assert!(says(good), "{good}");
        }
        for bad in [
            "",
            "none",
            "dmarc=fail (dmarc=pass; x) header.from=author.example",
            "dmarc=pass header.from=evil.example",
            "dkim=pass header.d=evil.example",
            "dkim=pass",
            "spf=pass smtp.helo=author.example",
            "iprev=pass policy.iprev=192.0.2.1",
            "x=y reason=\"; dmarc=pass\"",
        ] {
            assert!(!says(bad), "{bad}");
        }
        assert!(!vouches("dmarc=pass; dmarc=pass", &domain("author.example")), "what stands before is no result");
    }
}
