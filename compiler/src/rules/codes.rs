//! The registry: every code that can appear, in the order of codes.

use super::{Rule, crt, dom, fil, kdl, lim, lng, lst, nam, net, rly, rte, sit, tls, tst, usr};
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
    &fil::FILE_UNREADABLE,
    &fil::FILE_OUTSIDE,
    &lim::few_recipients::RULE,
    &lim::bounce_lifetime::RULE,
    &lim::few_hops::RULE,
    &lst::bound_twice::RULE,
    &lst::nothing_listens::RULE,
    &lst::LISTENER_WITHOUT_KIND,
    &nam::UNKNOWN_NAME,
    &nam::DUPLICATE_NAME,
    &nam::UNUSED_NAME,
    &net::overlap::RULE,
    &net::mapped::RULE,
    &net::powerless::RULE,
    &rly::open_relay::RULE,
    &rly::wide_network::RULE,
    &rly::container_pool::RULE,
    &rly::link_local::RULE,
    &rte::no_route::RULE,
    &rte::shadowed_route::RULE,
    &rte::relay_is_self::RULE,
    &rte::password_exposed::RULE,
    &rte::port_25_login::RULE,
    &sit::NO_POSTMASTER,
    &tls::submission_without_certificate::RULE,
    &tls::name_not_covered::RULE,
    &tls::no_tls::RULE,
    &tst::TEST_FAILED,
    &usr::no_listener::RULE,
    &usr::no_users::RULE,
];

/// Every finding that can be made, in the order of codes.
pub static RULES: LazyLock<Vec<&'static Rule>> = LazyLock::new(|| {
    let mut rules: Vec<&'static Rule> = NAMED.iter().copied().chain(kdl::PAGES).chain(lng::PAGES).collect();
    rules.sort_by_key(|rule| rule.code);
    rules
});

/// The rule of that code, or of that name.
pub fn find(code_or_name: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.code.eq_ignore_ascii_case(code_or_name) || rule.name == code_or_name)
}
