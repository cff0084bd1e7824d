use std::net::IpAddr;

use enter_span::{Span, enter_span};

#[enter_span(attributes(address))]
fn argument(address: IpAddr) {}

#[enter_span(ret)]
fn returned(address: IpAddr) -> IpAddr {
    Span::current().set_attribute("address", address);
    address
}

fn main() {}
