//! scratch
#![allow(dead_code, unused_variables, clippy::all)]
use std::cell::Cell;
use std::future::Future;
use enter_span::enter_span;
use tokio::task::yield_now;
fn assert_send<T: Send>(value: T) -> T { value }
macro_rules! twin { ($($name:ident: { $($item:tt)* })*) => {$(
    mod $name { use super::*; 
      mod plain { use super::*; $($item)* }
    }
)*}; }
pub struct Ctx<'a> { pub r: &'a mut u8 }
pub struct H<'a> { r: &'a mut u8 }

// 1: 'static spelled
#[enter_span] async fn s1(ctx: Ctx<'static>) -> &'static mut u8 { yield_now().await; &mut *ctx.r }
type S = Ctx<'static>;
#[enter_span] async fn s2(ctx: S) -> &'static mut u8 { yield_now().await; &mut *ctx.r }
impl<'a> H<'a> {
    #[enter_span] async fn s3(other: Self) -> &'a mut u8 { yield_now().await; &mut *other.r }
    #[enter_span] async fn s4(other: Self, out: &mut Vec<&'a mut u8>) { yield_now().await; out.push(&mut *other.r) }
    #[enter_span] async fn s5(self: Box<Self>) -> &'a mut u8 { yield_now().await; &mut *self.r }
    #[enter_span] async fn s6(self: Box<Self>, out: &mut Vec<&'a mut u8>) { yield_now().await; out.push(&mut *self.r) }
    #[enter_span] async fn s7(&mut self, o: H<'a>) { yield_now().await; self.r = &mut *o.r; }
    #[enter_span] async fn s8(self: &mut H<'a>, o: &'a mut u8) { yield_now().await; self.r = o; }
    #[enter_span] async fn s8b(self: &mut H<'a>, o: &'a mut u8) { yield_now().await; self.r = &mut *o; }
    #[enter_span] async fn s9(mut self, o: &'a mut u8) -> Self { yield_now().await; self.r = o; self }
    #[enter_span] async fn s10(&mut self, o: Self) { yield_now().await; self.r = &mut *o.r; }
    #[enter_span] async fn s11(&mut self, (o, _): (Self, u8)) { yield_now().await; self.r = &mut *o.r; }
}
#[enter_span] async fn s12<'a>(slot: &mut H<'a>, (o, n): (H<'a>, u8)) { yield_now().await; *o.r = n; slot.r = &mut *o.r; }
// generic holder
pub struct G<T> { t: T }
#[enter_span] async fn s13<'a>(g: G<&'a mut u8>) -> &'a mut u8 { yield_now().await; &mut *g.t }
#[enter_span] async fn s14<'a, 'b>(g: G<&'a mut u8>, out: &mut Vec<&'b mut u8>) where 'a: 'b { yield_now().await; out.push(&mut *g.t) }
#[enter_span] async fn s15<'b, 'a: 'b>(g: H<'a>, out: &mut Vec<&'b mut u8>) { yield_now().await; out.push(&mut *g.r) }
#[enter_span] async fn s16<'b, 'a: 'b>(g: H<'a>) -> &'b mut u8 { yield_now().await; &mut *g.r }
// trait object
#[enter_span] async fn s17<'a>(list: Vec<&'a mut u8>) -> Option<&'a mut u8> { yield_now().await; list.into_iter().next() }
#[enter_span] async fn s18<'a>(mut list: Vec<&'a mut u8>) -> &'a mut u8 { yield_now().await; let x = list.pop().unwrap(); &mut *x }
// closures from args
#[enter_span] async fn s19<'a>(t: &'a str) -> impl Fn() -> &'a str { yield_now().await; move || t }
#[enter_span] async fn s20(t: String) -> Box<dyn Fn() -> String> { yield_now().await; Box::new(move || t.clone()) }
#[enter_span] async fn s21(mut v: Vec<u8>) -> Vec<u8> { v.retain(|x| *x > 1); yield_now().await; v.sort(); v }
// borrowed then moved
#[enter_span] async fn s22(v: String) -> String { let n = v.len(); yield_now().await; println!("{n}"); drop(v); String::new() }
#[enter_span] async fn s23(v: String) -> String { async { v.len() }.await; v }
#[enter_span] async fn s24(v: String) -> String { async move { v }.await }
#[enter_span] async fn s25(v: String) { let f = move || v.len(); yield_now().await; f(); }
#[enter_span] async fn s26(v: String) { let h = tokio::spawn(async move { v.len() }); h.await.unwrap(); }
// partial moves
pub struct P { a: String, b: String }
#[enter_span] async fn s27(p: P) -> String { drop(p.a); yield_now().await; p.b }
#[enter_span] async fn s28(p: P) -> usize { drop(p.a); yield_now().await; p.b.len() }
impl P { #[enter_span] async fn s29(self) -> String { let P { a, b } = self; yield_now().await; a + &b }
 #[enter_span] async fn s30(self) -> usize { drop(self.a); yield_now().await; self.b.len() } 
 #[enter_span] async fn s31(mut self) -> Self { self.a.clear(); yield_now().await; self }
 #[enter_span] async fn s32(&self, (a, b): (&str, &mut String)) -> usize { b.push_str(a); yield_now().await; self.a.len() }
}
// static-ish & const
#[enter_span] async fn s33(x: &'static str) -> &'static str { yield_now().await; x }
// never type
#[enter_span] async fn s34(x: String) -> ! { loop { yield_now().await; let _ = &x; } }
#[enter_span] async fn s35(x: &mut u8) -> ! { loop { yield_now().await; *x = 1; } }
// return impl in async
#[enter_span] async fn s36(x: String) -> impl Iterator<Item = char> { yield_now().await; x.chars().collect::<Vec<_>>().into_iter() }
#[enter_span] async fn s37(ok: bool) -> Result<impl std::fmt::Display, String> { yield_now().await; if !ok { return Err("a".into()); } Ok(1) }
#[enter_span] async fn s38(ok: bool) -> Option<impl Future<Output = u8>> { yield_now().await; if !ok { return None; } Some(async { 1 }) }
#[enter_span] async fn s39(ok: bool) -> Result<Box<dyn Fn(u8) -> u8>, Box<dyn std::error::Error>> { yield_now().await; Err("x")? }
#[enter_span] async fn s40() -> impl Sized {}
#[enter_span] async fn s41() -> (impl Sized, u8) { ((), 1) }
// tail temporaries
#[enter_span] async fn s42(m: &std::sync::Mutex<Vec<u8>>) -> usize { m.lock().unwrap().len() }
#[enter_span] async fn s43(m: std::sync::Mutex<Vec<u8>>) -> usize { m.lock().unwrap().len() }
#[enter_span] async fn s44(m: std::cell::RefCell<Vec<u8>>) -> usize { m.borrow().len() }
// dyn args
#[enter_span] async fn s45(x: Box<dyn Iterator<Item = u8> + '_>) -> u8 { x.sum() }
#[enter_span] async fn s46<'a>(x: Box<dyn Iterator<Item = &'a mut u8> + 'a>) -> Option<&'a mut u8> { yield_now().await; x.last() }
#[enter_span] async fn s47(x: &mut (dyn Iterator<Item = u8> + Send)) -> Option<u8> { yield_now().await; x.next() }
#[enter_span] async fn s48(x: &mut dyn FnMut(&str) -> usize) -> usize { yield_now().await; x("a") }
#[enter_span] async fn s49(x: fn(&str) -> &str) -> usize { yield_now().await; x("a").len() }
#[enter_span] async fn s50<F: for<'x> Fn(&'x str) -> &'x str>(x: F) -> usize { yield_now().await; x("a").len() }
#[enter_span] async fn s51<'a, F: Fn(&'a str) -> &'a str>(x: F, t: &'a str) -> &'a str { yield_now().await; x(t) }
#[enter_span] async fn s52<'a, F, Fut>(f: F, x: &'a u8) -> u8 where F: FnOnce(&'a u8) -> Fut, Fut: Future<Output = u8> + 'a { f(x).await }
#[enter_span] async fn s53<F>(f: F) -> u8 where F: AsyncFnOnce(&mut u8) -> u8 { let mut x = 0; f(&mut x).await }
#[enter_span] async fn s54<F>(mut f: F) -> u8 where F: AsyncFnMut(&mut u8) -> u8 { let mut x = 0; f(&mut x).await + f(&mut x).await }
// unused_mut / unused warnings
#[enter_span] async unsafe fn s55(p: *const u8) -> u8 { 1 }
#[enter_span] async fn s56(r#type: String) -> usize { yield_now().await; r#type.len() }
#[enter_span] async fn s57(x: String) -> usize { let x = x; yield_now().await; x.len() }
#[enter_span] async fn s58(x: &mut &mut u8) -> u8 { yield_now().await; **x }
#[enter_span] async fn s59<'a, 'b>(x: &'b mut &'a mut u8) -> &'b mut u8 { yield_now().await; &mut **x }
#[enter_span] async fn s60<'a>(x: &mut &'a [u8]) -> &'a [u8] { let (l, r) = x.split_at(1); *x = r; yield_now().await; l }
#[enter_span] async fn s61<'a>(x: &mut &'a mut [u8]) -> &'a mut [u8] { let (l, r) = std::mem::take(x).split_at_mut(1); *x = r; yield_now().await; l }
#[enter_span] async fn s62(x: Cell<&mut u8>) -> u8 { yield_now().await; *x.into_inner() }
#[enter_span] async fn s63<'a>(x: Cell<&'a mut u8>) -> &'a mut u8 { yield_now().await; x.into_inner() }
#[enter_span] async fn s64<'a>(x: (&'a mut u8, u8)) -> &'a mut u8 { yield_now().await; &mut *x.0 }
#[enter_span] async fn s65(x: (&mut u8, u8)) -> &mut u8 { yield_now().await; &mut *x.0 }
#[enter_span] async fn s66(x: Option<&mut u8>) -> Option<&mut u8> { yield_now().await; x.map(|x| &mut *x) }
#[enter_span] async fn s67(x: [&mut u8; 2]) -> &mut u8 { yield_now().await; let [a, _] = x; a }
#[enter_span] async fn s68<T>(x: T) -> T where T: Clone { yield_now().await; let y = x.clone(); drop(x); y }
pub trait Tr { type Item; fn get(&mut self) -> &mut Self::Item; async fn d(&mut self) -> &mut Self::Item; }
impl<'a> Tr for H<'a> { type Item = u8; fn get(&mut self) -> &mut u8 { self.r } #[enter_span] async fn d(&mut self) -> &mut Self::Item { yield_now().await; self.get() } }
#[enter_span] async fn s69<T: Tr>(x: &mut T) -> &mut T::Item { yield_now().await; x.get() }
#[enter_span] async fn s70<T: Tr>(mut x: T) -> u8 { yield_now().await; x.get(); 1 }
#[enter_span] async fn s71(x: std::pin::Pin<Box<dyn Future<Output = u8>>>) -> u8 { x.await }
#[enter_span] async fn s72(mut x: std::pin::Pin<Box<dyn Future<Output = u8>>>) -> u8 { (&mut x).await }
#[enter_span] async fn s73(x: impl Future<Output = u8>) -> u8 { let mut x = std::pin::pin!(x); x.as_mut().await }
#[enter_span] async fn s74(x: impl Future<Output = u8>) -> u8 { tokio::pin!(x); (&mut x).await }
#[enter_span] async fn s75(mut x: tokio::sync::mpsc::Receiver<u8>) -> Option<u8> { tokio::select! { y = x.recv() => y, () = yield_now() => None } }
#[enter_span] async fn s76(x: std::sync::MutexGuard<'_, u8>) -> u8 { *x }
#[enter_span] async fn s77(x: tokio::sync::MutexGuard<'_, u8>) -> u8 { yield_now().await; *x }
#[enter_span] async fn s78<'a>(x: std::cell::RefMut<'a, u8>) -> std::cell::RefMut<'a, u8> { yield_now().await; x }
#[enter_span] async fn s79(x: std::fmt::Arguments<'_>) -> String { yield_now().await; x.to_string() }
#[enter_span] async fn s80(cx: &mut std::task::Context<'_>) -> bool { cx.waker().will_wake(cx.waker()) }
#[enter_span] async fn s81<'a>(cx: &'a mut std::task::Context<'_>) -> &'a std::task::Waker { cx.waker() }
#[enter_span] async fn s82(x: &(impl Sync + ?Sized), y: &dyn Sync) {}
#[enter_span] async fn s83(x: &Cell<u8>, y: &mut [Cell<u8>]) -> u8 { yield_now().await; y[0].get() + x.get() }
