use enter_span::enter_span;

#[enter_span]
async fn f() {
    let rc = std::rc::Rc::new(3);
    std::future::ready(()).await;
    drop(rc);
}

fn spawn(_: impl Future<Output = ()> + Send) {}

fn main() {
    spawn(f());
}
