//! Walks through a file.

use proc_macro2::Span;
use syn::parse::{ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{
    Attribute, Block, Expr, File, ImplItem, ImplItemFn, Item, ItemExternCrate, ItemFn, ItemMod,
    ItemUse, Macro, Meta, Result, Signature, Token, TraitItem, TraitItemFn,
};

use crate::scan::hidden;
use crate::scan::import::{self, Import};
use crate::scan::library::Library;
use crate::scan::scope::{Scope, ScopeKind};

/// An attribute of a function, which may be one that is rewritten.
pub(crate) struct Candidate<'a> {
    pub(crate) scope: usize,
    pub(crate) meta: Meta,
    pub(crate) signature: &'a Signature,
    /// The function has a span of ours already.
    pub(crate) is_ours_too: bool,
}

pub(crate) struct Scan<'a> {
    /// The first one is the file.
    pub(crate) scopes: Vec<Scope>,
    pub(crate) imports: Vec<Import<'a>>,
    pub(crate) candidates: Vec<Candidate<'a>>,
    /// Attributes inside of macros.
    pub(crate) hidden: Vec<(Span, String)>,
    /// `#[macro_use] extern crate tracing;`
    pub(crate) everywhere: Vec<Library>,
    current: usize,
}

pub(crate) fn scan(file: &File) -> Scan<'_> {
    let mut scan = Scan {
        scopes: vec![Scope::new(ScopeKind::Module, None)],
        imports: Vec::new(),
        candidates: Vec::new(),
        hidden: Vec::new(),
        everywhere: Vec::new(),
        current: 0,
    };
    scan.visit_file(file);
    scan
}

impl<'a> Scan<'a> {
    fn within(&mut self, kind: ScopeKind, visit: impl FnOnce(&mut Self)) {
        let outer = self.current;
        self.current = self.scopes.len();
        self.scopes.push(Scope::new(kind, Some(outer)));
        visit(self);
        self.current = outer;
    }

    fn function(&mut self, attrs: &[Attribute], signature: &'a Signature) {
        let mut metas = Vec::new();
        attrs
            .iter()
            .for_each(|attr| flatten(&attr.meta, &mut metas));
        let last = |meta: &Meta| {
            meta.path()
                .segments
                .last()
                .map(|last| last.ident.to_string())
        };
        let is_ours_too = metas
            .iter()
            .any(|meta| last(meta).is_some_and(|name| name == "enter_span"));
        self.candidates
            .extend(metas.into_iter().map(|meta| Candidate {
                scope: self.current,
                meta,
                signature,
                is_ours_too,
            }));
    }

    /// Items, of which one may have our name.
    fn name(&mut self, item: &Item) {
        let ident = match item {
            Item::Const(item) => Some(&item.ident),
            Item::Enum(item) => Some(&item.ident),
            Item::Fn(item) => Some(&item.sig.ident),
            Item::Macro(item) => item.ident.as_ref(),
            Item::Mod(item) => Some(&item.ident),
            Item::Static(item) => Some(&item.ident),
            Item::Struct(item) => Some(&item.ident),
            Item::Trait(item) => Some(&item.ident),
            Item::Type(item) => Some(&item.ident),
            _ => None,
        };
        if ident.is_some_and(|ident| ident == "enter_span") {
            self.scopes[self.current].has_other = true;
        }
    }
}

/// The attribute, or those that a `cfg_attr` adds.
fn flatten(meta: &Meta, metas: &mut Vec<Meta>) {
    match meta {
        Meta::List(list) if list.path.is_ident("cfg_attr") => {
            let added = added.parse2(list.tokens.clone()).unwrap_or_default();
            added.iter().for_each(|meta| flatten(meta, metas));
        }
        // Comments for the documentation are `doc = ".."`.
        Meta::NameValue(_) => {}
        meta => metas.push(meta.clone()),
    }
}

fn added(input: ParseStream<'_>) -> Result<Punctuated<Meta, Token![,]>> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<proc_macro2::TokenTree>()?;
    }
    input.parse::<Token![,]>()?;
    Punctuated::parse_terminated(input)
}

impl<'a> Visit<'a> for Scan<'a> {
    fn visit_item(&mut self, item: &'a Item) {
        self.name(item);
        match item {
            Item::Verbatim(tokens) => hidden::find(tokens.clone(), &mut self.hidden),
            item => visit::visit_item(self, item),
        }
    }

    fn visit_impl_item(&mut self, item: &'a ImplItem) {
        match item {
            ImplItem::Verbatim(tokens) => hidden::find(tokens.clone(), &mut self.hidden),
            item => visit::visit_impl_item(self, item),
        }
    }

    fn visit_trait_item(&mut self, item: &'a TraitItem) {
        match item {
            TraitItem::Verbatim(tokens) => hidden::find(tokens.clone(), &mut self.hidden),
            item => visit::visit_trait_item(self, item),
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Verbatim(tokens) => hidden::find(tokens.clone(), &mut self.hidden),
            expr => visit::visit_expr(self, expr),
        }
    }

    fn visit_macro(&mut self, item: &'a Macro) {
        hidden::find(item.tokens.clone(), &mut self.hidden);
    }

    fn visit_item_mod(&mut self, item: &'a ItemMod) {
        self.within(ScopeKind::Module, |scan| visit::visit_item_mod(scan, item));
    }

    fn visit_block(&mut self, block: &'a Block) {
        self.within(ScopeKind::Block, |scan| visit::visit_block(scan, block));
    }

    fn visit_item_use(&mut self, item: &'a ItemUse) {
        let scope = &mut self.scopes[self.current];
        import::read(item, self.current, scope, &mut self.imports);
    }

    fn visit_item_extern_crate(&mut self, item: &'a ItemExternCrate) {
        let is_used = item
            .attrs
            .iter()
            .any(|attr| attr.path().is_ident("macro_use"));
        let library = Library::of_crate(&item.ident.to_string());
        self.everywhere.extend(library.filter(|_| is_used));
    }

    fn visit_item_fn(&mut self, item: &'a ItemFn) {
        self.function(&item.attrs, &item.sig);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'a ImplItemFn) {
        self.function(&item.attrs, &item.sig);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'a TraitItemFn) {
        self.function(&item.attrs, &item.sig);
        visit::visit_trait_item_fn(self, item);
    }
}
