use enter_span::enter_span;

#[enter_span(nmae = "x", kind = sever, attributes(usr), root, parent = other)]
const fn f(user: &str) -> u32 {
    user.len() as u32
}

fn main() {
    let _: u32 = f("x");
}
