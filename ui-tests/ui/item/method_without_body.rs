use enter_span::enter_span;

trait Shop {
    #[enter_span]
    fn price(&self, id: u32) -> u32;
}

struct Kiosk;

impl Shop for Kiosk {
    fn price(&self, id: u32) -> u32 {
        id
    }
}

fn main() {
    Kiosk.price(3);
}
