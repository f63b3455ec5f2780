//! The registry: every code that can appear, in the order of codes.

use super::{Rule, crt, dom, fil, inc, jsn, kdl, r#let, lim, lng, lst, nam, net, prf, rly, rte, sec, sit, tls, tst, usr};
use std::sync::LazyLock;

/// What is found in the text and by the grammar has one list for each family; all else is named here.
static NAMED: &[&Rule] = &[
    &crt::CHAIN_HOLDS_KEY,
    &crt::NO_CERTIFICATE,
    &dom::domain_twice::RULE,
    &dom::alias_loop::RULE,
    &dom::target_missing::RULE,
    &dom::address_twice::RULE,
    &dom::delimiter_hides::RULE,
    &dom::expansion_too_large::RULE,
    &dom::alias_domain_target::RULE,
    &dom::dead_content::RULE,
    &dom::empty_domain::RULE,
    &dom::pattern_without_effect::RULE,
    &dom::missing_group::RULE,
    &dom::unanchored_pattern::RULE,
    &dom::target_twice::RULE,
    &dom::no_abuse::RULE,
    &dom::unreachable_catch_all::RULE,
    &dom::unusable_domain::RULE,
    &fil::FILE_UNREADABLE,
    &fil::FILE_OUTSIDE,
    &lim::few_recipients::RULE,
    &lim::bounce_lifetime::RULE,
    &lim::few_hops::RULE,
    &lim::small_message::RULE,
    &lim::quota_below_message::RULE,
    &lim::cap_below_retry::RULE,
    &lim::short_lifetime::RULE,
    &lim::eager_retry::RULE,
    &lim::many_attempts::RULE,
    &lim::long_lifetime::RULE,
    &lst::bound_twice::RULE,
    &lst::nothing_listens::RULE,
    &lst::unusual_port::RULE,
    &lst::mail_cannot_arrive::RULE,
    &lst::random_port::RULE,
    &lst::no_implicit_tls::RULE,
    &lst::LISTENER_WITHOUT_KIND,
    &nam::UNKNOWN_NAME,
    &nam::DUPLICATE_NAME,
    &nam::UNUSED_NAME,
    &net::overlap::RULE,
    &net::mapped::RULE,
    &net::powerless::RULE,
    &net::dead_family::RULE,
    &rly::open_relay::RULE,
    &rly::wide_network::RULE,
    &rly::container_pool::RULE,
    &rly::link_local::RULE,
    &rly::shared_space::RULE,
    &rly::trust_without_listener::RULE,
    &rte::no_route::RULE,
    &rte::shadowed_route::RULE,
    &rte::relay_is_self::RULE,
    &rte::password_exposed::RULE,
    &rte::port_25_login::RULE,
    &rte::own_domain_route::RULE,
    &rte::rest_without_route::RULE,
    &rte::verify_by_address::RULE,
    &rte::weaker_route::RULE,
    &rte::same_relay::RULE,
    &rte::route_from_nobody::RULE,
    &rte::plaintext::RULE,
    &rte::short_relay_name::RULE,
    &sec::two_purposes::RULE,
    &sit::NO_POSTMASTER,
    &sit::short_hostname::RULE,
    &sit::private_address::RULE,
    &sit::address_twice::RULE,
    &sit::foreign_origin::RULE,
    &sit::postmaster_elsewhere::RULE,
    &tls::submission_without_certificate::RULE,
    &tls::name_not_covered::RULE,
    &tls::no_tls::RULE,
    &tst::TEST_FAILED,
    &tst::test_twice::RULE,
    &usr::no_listener::RULE,
    &usr::no_users::RULE,
    &usr::same_store::RULE,
    &usr::send_as_elsewhere::RULE,
    &usr::send_as_nobody::RULE,
    &usr::user_twice::RULE,
];

/// The lists of the families that are found while the text is read.
static PAGES: &[&[Rule]] = &[inc::PAGES, jsn::PAGES, kdl::PAGES, r#let::PAGES, lng::PAGES, prf::PAGES];

/// Every finding that can be made, in the order of codes.
pub static RULES: LazyLock<Vec<&'static Rule>> = LazyLock::new(|| {
    let mut rules: Vec<&'static Rule> = NAMED.iter().copied().chain(PAGES.iter().copied().flatten()).collect();
    rules.sort_by_key(|rule| rule.code);
    rules
});

/// The rule of that code, or of that name.
pub fn find(code_or_name: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.code.eq_ignore_ascii_case(code_or_name) || rule.name == code_or_name)
}
