use enter_span::enter_span;
use enter_span::invocation::Message;

#[enter_span(invocation = message)]
fn work(message: &Message) {
    let _ = message;
}

fn main() {}
