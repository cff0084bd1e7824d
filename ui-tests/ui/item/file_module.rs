use enter_span::enter_span;

#[enter_span]
#[path = "file_module/elsewhere.rs"]
mod elsewhere;

fn main() {
    elsewhere::f();
}
