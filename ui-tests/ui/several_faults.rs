use enter_span::enter_span;

#[enter_span(nmae = "x", kind = sever, attributes(usr), root, parent = other)]
const fn f(user: &str) -> u32 {
    3
}

fn main() {
    let _: u32 = f("x");
}
