use enter_span::enter_span;

#[enter_span(ret(length = |text: String| text.len()))]
fn not_borrowed() -> String {
    String::new()
}

#[enter_span(ret(first = |pair: (u32, Vec<u8>)| pair.0))]
fn not_borrowed_too() -> (u32, Vec<u8>) {
    (1, Vec::new())
}

#[enter_span(ret(length = |list: &Vec<u8>| list.len()))]
fn of_a_result() -> Result<String, String> {
    Ok(String::new())
}

#[enter_span(ret(length = |text: &String| -> u32 { text.len() }))]
fn converted() -> String {
    String::new()
}

#[enter_span(ret = |text: &String| text.len())]
fn without_key() -> String {
    String::new()
}

fn main() {}
