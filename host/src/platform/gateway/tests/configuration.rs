//! A file that says more than the gateway does is refused, with the place.

use super::*;
use crate::platform::gateway::config::Config;

/// Of the hosts of `kong.yml`, and of no others.
fn somewhere(name: &str, port: u16) -> Option<Authority> {
    (ALONE.contains(&name) || CARTS.contains(&name)).then(|| authority(SocketAddr::from((Ipv4Addr::LOCALHOST, port))))
}

fn mistakes(kong: &str) -> String {
    match Gateway::parse(kong, &placeholders(), &somewhere, &Registry::new()) {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_file_as_it_is_has_no_mistakes() {
    assert_eq!(mistakes(KONG), "");
}

#[test]
fn whatever_is_not_implemented_is_named() {
    let import = "services[0] (products).routes[3] (products-import)";
    for (find, replacement, expected) in [
        ("_format_version: \"3.0\"", "_format_version: \"2.1\"", "`_format_version` can only be \"3.0\" here"),
        ("\nservices:", "\nroutes: []\nservices:", "`routes` is not a field that is read here"),
        ("    retries: 1 #", "    #", "services[0] (products): `retries` is missing"),
        ("    port: 8001", "    port: 80010", "services[0] (products): `port` has to be a whole number, 0 to 65535"),
        ("    port: 8001", "    port: 8001\n    path: /x", "services[0] (products): `path` is not a field"),
        ("    host: products-service", "    host: products-srv", "service products: there is no host products-srv"),
        ("target: cart-service-2:8007", "target: cart-2:8007", "upstream cart: there is no host cart-2"),
        (
            "target: cart-service-2:8007",
            "target: cart-service-2",
            "upstreams[0] (cart).targets[1] (cart-service-2): `target` is host:port",
        ),
        ("algorithm: round-robin", "algorithm: least-connections", "`algorithm` can only be \"round-robin\" here"),
        ("weight: 100", "weight: 50", "targets[0] (cart-service:8007): `weight` can only be 100 here, not 50"),
        ("paths: [/api/v1/products/import]", "hosts: [x]", import),
        (
            "name: prometheus",
            "name: ip-restriction",
            "plugins[1] (ip-restriction).config: the plugin ip-restriction is not implemented",
        ),
        ("key_in_query: false #", "key_in_query: true #", "`key_in_query` can only be false here, not true"),
        (
            "              key_in_query: false #",
            "              #",
            "`key_in_query` is missing, and Kong's default is not false",
        ),
        ("allow: [manager, hq]", "allow: [manger, hq]", "acl allows the group manger, in which no consumer is"),
        ("size_unit: megabytes #", "size_unit: mb #", "`size_unit` is bytes, kilobytes or megabytes, not mb"),
        (
            "origins: [\"http://localhost:5173\"",
            "origins: ['*'",
            "an origin is written out as scheme://host:port here, not *",
        ),
        (
            "uri: /$(uri_captures[1])",
            "uri: /$(uri_captures[2])",
            "request-transformer uses group 2, which not every path has",
        ),
        ("uri: /$(uri_captures[1])", "uri: /$(os.exit())", "`uri` is /, text and $(uri_captures[1]) here"),
        ("paths: ['~/api/products/(", "paths: ['~/api/products/((", "is no regular expression"),
        ("minute: 600", "hour: 600", "`minute` is missing"),
        ("minute: 600", "minute: 0", "`minute` has to be 1 at least"),
        ("limit_by: ip", "limit_by: consumer", "`limit_by` can only be \"ip\" here, not \"consumer\""),
        ("strip_path: false", "", "routes[0] (products-read): `strip_path` is missing"),
        ("name: products-quotes", "name: products-read", "another route has the name products-read"),
        (
            "5e000000-0000-4000-8000-000000008007",
            "5e000000-0000-4000-8000-000000008001",
            "the id 5e000000-0000-4000-8000-000000008001 belongs to services[0] (products) already",
        ),
        ("    id: 5e000000-0000-4000-8000-000000008007\n", "", "services[4] (cart): `id` is missing"),
        (
            "${COMPTOIR_KEY_POS}",
            "${COMPTOIR_KEY_HQ}",
            "consumers[2] (pos): one of its keys or issuers belongs to another consumer",
        ),
        ("${COMPTOIR_KEY_POS}", "${COMPTOIR_KEY_CASHIER}", "there is no value for ${COMPTOIR_KEY_CASHIER}"),
        ("uri_param_names: [] #", "uri_param_names: [jwt] #", "`uri_param_names` can only be [] here, not [\"jwt\"]"),
        ("uri_param_names: [] #", "#", "`uri_param_names` is missing, and Kong's default is not []"),
        ("claims_to_verify: [exp] #", "#", "`claims_to_verify` is missing, and Kong's default is not [\"exp\"]"),
        ("key_claim_name: iss", "key_claim_name: kid", "`key_claim_name` can only be \"iss\" here, not \"kid\""),
        ("algorithm: HS256", "algorithm: RS256", "`algorithm` can only be \"HS256\" here, not \"RS256\""),
        ("${COMPTOIR_TOKEN_KEY}", "${COMPTOIR_KEY_HQ}", "`secret` has less than 32 characters"),
        ("X-API-Key: [\"~*.+\"]", "X-API-Key: [key]", "`X-API-Key` can only be [\"~*.+\"] here, not [\"key\"]"),
        ("X-API-Key: [\"~*.+\"]", "X-Other: [\"~*.+\"]", "`X-API-Key` is missing"),
        ("          interval: 1 #", "          interval: 0 #", "both intervals are 0 or none"),
        ("echo_downstream: true", "echo_downstream: yes", "`echo_downstream` has to be true or false, not text"),
    ] {
        let changed = KONG.replacen(find, replacement, 1);
        assert_ne!(changed, KONG, "{find} is not in the file");
        let found = mistakes(&changed);
        assert!(found.contains(expected), "{replacement}\nexpected: {expected}\nfound: {found}");
    }
}

#[test]
fn all_mistakes_are_told_at_once_with_their_lines() {
    let changed = KONG.replace("preserve_host: false", "preserve_hosts: false");
    let found = mistakes(&changed);
    let lines: Vec<&str> = found.lines().filter(|line| line.contains("`preserve_hosts` is not a field")).collect();
    assert_eq!(lines.len(), KONG.matches("preserve_host: false").count(), "{found}");
    let number = 1 + KONG.lines().position(|line| line.contains("preserve_host: false")).unwrap();
    assert!(
        lines[0].trim().starts_with(&format!("line {number}: services[0] (products).routes[0] (products-read): ")),
        "{found}"
    );
}

#[test]
fn acl_needs_key_auth() {
    let start = KONG.find("          - name: key-auth").unwrap();
    let end = start + KONG[start..].find("          - name: acl").unwrap();
    let without = format!("{}{}", &KONG[..start], &KONG[end..]);
    assert!(mistakes(&without).contains("acl without key-auth or jwt refuses everybody"));
}

/// What the file has to say for Kong, whose plugins trust nobody but each other. The gateway strips by itself, so that
/// no request shows a mistake in these lists.
#[test]
fn the_file_strips_identities_and_proves_only_what_was_checked() {
    let config = Config::parse(KONG, &placeholders()).unwrap();
    for (service, route) in config.services.iter().flat_map(|service| service.routes.iter().map(move |r| (service, r)))
    {
        let plugins = route.plugins.over(&service.plugins).over(&config.plugins);
        let transformer = plugins.transformer.expect("identities are removed on every route");
        let mut headers = HeaderMap::new();
        for name in identity::CLAIMS {
            headers.insert(name, "forged".parse().unwrap());
        }
        transformer.apply(&mut headers);
        let name = &route.name;
        if plugins.key_auth.is_none() && plugins.jwt.is_none() {
            assert!(headers.is_empty(), "{name} lets through {headers:?}");
            continue;
        }
        assert!(plugins.acl.is_some(), "{name}");
        assert_eq!(headers["x-gateway-secret"], "gateway_secret", "{name}");
        // These are set by key-auth or jwt, and acl, which come first.
        for set in ["x-consumer-id", "x-consumer-username", "x-consumer-groups", "x-credential-identifier"] {
            assert!(headers.contains_key(set), "{name} removes {set}");
        }
        let claims = ["x-service-name", "x-service-secret", "x-authenticated-groups", "x-authenticated-userid"];
        assert!(claims.iter().all(|claim| !headers.contains_key(*claim)), "{name} lets through {headers:?}");
    }
}

#[test]
fn secrets_are_not_printed() {
    let placeholders = Placeholders::new()
        .with("COMPTOIR_GATEWAY_SECRET", Secret::new("hunter2"))
        .with("COMPTOIR_KEY_HQ", Secret::new("hunter3"))
        .with("COMPTOIR_KEY_LOGISTICS", Secret::new("hunter4"))
        .with("COMPTOIR_KEY_MANAGER", Secret::new("hunter5"))
        .with("COMPTOIR_KEY_POS", Secret::new("hunter6"))
        .with("COMPTOIR_TOKEN_KEY", Secret::new("hunter7".repeat(5)));
    let gateway = Gateway::parse(KONG, &placeholders, &somewhere, &Registry::new()).unwrap();
    let printed = format!("{gateway:?}");
    assert!(!printed.contains("hunter"), "{printed}");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let path = std::path::Path::new("/nowhere/kong.yml");
    let error = Gateway::load(path, &placeholders(), &somewhere, &Registry::new()).unwrap_err();
    assert!(matches!(&error, LoadError::Read { .. }));
    assert_eq!(error.to_string(), "cannot read /nowhere/kong.yml");
}
