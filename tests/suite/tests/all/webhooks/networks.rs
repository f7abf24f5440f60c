//! Tests that webhooks reach only what the operator allows.

use leaderboard_host::HostConfig;
use leaderboard_test_support::{TestService, block_on};
use serde_json::json;

use super::receiver::Receiver;
use super::{NO_RESPONSE, create_webhook, fail};

/// Sends a message to a receiver on this machine, from a service with this configuration. Returns the outcome and how many requests
/// the receiver got.
fn send_to_loopback(host: &'static str, change: fn(&mut HostConfig)) -> (String, usize) {
    block_on(async {
        let service = TestService::start_configured(None, change).await;
        let api = service.api();
        let mut receiver = Receiver::start(&[]);
        receiver.url = receiver.url.replace("127.0.0.1", host);
        create_webhook(&api, &receiver).await;
        api.submit_score("b", "p", 1).await;
        let outcome = fail(&api).await["outcome"].as_str().unwrap().to_owned();
        (outcome, receiver.received().len())
    })
}

fn set(config: &mut HostConfig, name: &str, value: &str) {
    *config = config.clone().variable(name, value);
}

#[test]
fn a_host_that_the_operator_does_not_grant_gets_nothing() {
    let outcome = send_to_loopback("127.0.0.1", |config| {
        // The hosts of issuers are granted to the component, too.
        for hosts in ["webhook_hosts", "issuer_hosts"] {
            set(config, hosts, "https://*:443");
        }
    });
    assert_eq!(
        outcome,
        (
            "the operator's variable webhook_hosts does not cover the host".to_owned(),
            0
        )
    );
}

#[test]
fn a_network_that_the_operator_blocks_gets_nothing_also_by_a_name() {
    for host in ["127.0.0.1", "localhost"] {
        let outcome = send_to_loopback(host, |config| {
            set(config, "webhook_hosts", "http://*:*");
            config.blocked_networks = vec!["private".parse().unwrap()];
        });
        assert_eq!(outcome, (NO_RESPONSE.to_owned(), 0), "{host}");
    }
    let outcome = send_to_loopback("localhost", |config| {
        set(config, "webhook_hosts", "http://*:*");
        config.blocked_networks = vec!["10.0.0.0/8".parse().unwrap()];
    });
    assert_eq!(outcome, ("delivered".to_owned(), 1));
}

#[test]
fn a_private_host_is_refused_by_default() {
    block_on(async {
        let service =
            TestService::start_configured(None, |config| set(config, "webhook_private_hosts", "refuse"))
                .await;
        let body = json!({"url": "http://127.0.0.1:1/", "events": ["score.accepted"]});
        let refused = service.api().put("/webhooks/hook", &body).await;
        assert_eq!(
            refused.expect_problem(422, "validation")["errors"][0]["pointer"],
            "#/url"
        );
    });
}
