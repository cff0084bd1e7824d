//! `%id` and `?id`: a name or a field with a sign is key and value in one.

use std::net::{IpAddr, Ipv4Addr};

use enter_span::{enter_span, in_span, start_span};

use crate::support::check::{check, check_async};

#[derive(Debug)]
enum Plan {
    Free,
}

struct User {
    plan: Plan,
    address: IpAddr,
}

const USER: User = User {
    plan: Plan::Free,
    address: IpAddr::V4(Ipv4Addr::LOCALHOST),
};

#[enter_span(attributes(%address, ?plan, attempt))]
fn names(address: IpAddr, plan: &Plan, attempt: u32) {}

/// A type of another crate, its texts under the name of its argument.
#[test]
fn a_name_with_a_sign_is_its_own_key() {
    check(
        || names(USER.address, &Plan::Free, 2),
        "names address=127.0.0.1 plan=Free attempt=2",
    );
}

#[enter_span(start(?user.plan), attributes(%user.address))]
async fn fields(user: &User) {}

/// The key is written as the value is.
#[test]
fn a_field_with_a_sign_is_its_own_key() {
    check_async(
        fields(&USER),
        "fields user.plan=Free user.address=127.0.0.1",
    );
}

impl User {
    #[enter_span("method", attributes(?self.plan, %self.address))]
    fn method(&self) {}
}

#[test]
fn a_field_of_self_is_its_own_key() {
    check(
        || USER.method(),
        "method self.plan=Free self.address=127.0.0.1",
    );
}

#[enter_span(attributes(?r#type))]
fn raw(r#type: Plan) {}

/// In the key, a raw name is the name.
#[test]
fn a_raw_name_with_a_sign_is_its_own_key() {
    check(|| raw(Plan::Free), "raw type=Free");
}

/// In blocks and owned spans the name is any local.
#[test]
fn a_local_with_a_sign_is_its_own_key() {
    check(
        || {
            let (plan, port) = (Plan::Free, 'p');
            in_span!("block", attributes(?plan, %port), || ());
            drop(start_span!("owned", attributes(?plan, ?port)));
        },
        "
        block plan=Free port=p
        owned plan=Free port='p'
        ",
    );
}

#[enter_span(current, attributes(%address))]
fn added(address: IpAddr) {}

#[test]
fn a_sign_adds_to_the_current_span() {
    check(
        || in_span!("outer", || added(USER.address)),
        "outer address=127.0.0.1",
    );
}
