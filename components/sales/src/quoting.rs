//! What a till sells is priced: by products, whose prices and rates these are, and by the rules that all services
//! share, which must come to the same. Asked before anything is locked.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;
use pricing::Money;
use sdk::problem::FieldError;
use sdk::{Context, Problem, Result};

use crate::clients::products::{self, Archived, Asked, AskedLine, Mistake};
use crate::domain::draft::{NewSale, Priced};
use crate::domain::{LocationId, ProductId};

/// How many barcodes are looked up side by side.
const LOOKUPS: usize = 8;

/// What the sale comes to in that store.
///
/// # Errors
/// 422 with everything that keeps it from being priced; 503 when products is away.
pub async fn price(context: &Context, new: &NewSale, store: LocationId) -> Result<Priced> {
    let products = products_of(context, new).await?;
    let offline = new.offline.is_some();
    let lines = new.lines.iter().zip(&products).map(|(line, product)| AskedLine {
        product_id: *product,
        quantity: line.quantity,
        // What was charged may be more than the catalogue has for it, and then what was off that as well.
        discount: if offline { Money::ZERO } else { line.discount },
    });
    let asked = Asked {
        store_id: store,
        at: offline.then(|| new.sold_at(context.clock.now())),
        lines: lines.collect(),
        discount: if offline { Money::ZERO } else { new.discount },
        archived: offline.then_some(Archived::Quote),
    };
    let quoted = match products::quote(&context.http, &asked).await? {
        Ok(quoted) => quoted,
        Err(mistakes) => return Err(invalid(mistakes.into_iter().map(|mistake| placed(mistake, new)))),
    };
    let total = quoted.total;
    let priced = new.priced(quoted.offers).map_err(invalid)?;
    if !offline && priced.quote.total != total {
        return Err(Problem::internal(format!("priced at {}, and quoted at {total}", priced.quote.total)));
    }
    Ok(priced)
}

fn invalid(errors: impl IntoIterator<Item = FieldError>) -> Problem {
    errors.into_iter().fold(Problem::unprocessable("validation-failed"), Problem::error)
}

/// What products says of a line is said of what the till has sent of it.
fn placed(mistake: Mistake, new: &NewSale) -> FieldError {
    let Mistake { pointer, code, detail } = mistake;
    let by_barcode = |index: usize| new.lines.get(index).is_some_and(|line| line.product_id.is_none());
    let pointer = match pointer.strip_prefix("/lines/").and_then(|rest| rest.strip_suffix("/product_id")) {
        Some(index) if index.parse().is_ok_and(by_barcode) => format!("/lines/{index}/barcode"),
        _ => pointer,
    };
    FieldError { pointer: Some(pointer), parameter: None, code: code.into(), detail }
}

/// The product of each line: those that are named by a barcode are looked up, each once.
async fn products_of(context: &Context, new: &NewSale) -> Result<Vec<ProductId>> {
    let mut codes: Vec<&str> = new.lines.iter().filter_map(|line| line.barcode.as_deref()).collect();
    codes.sort_unstable();
    codes.dedup();
    let mut known: BTreeMap<&str, Option<ProductId>> = BTreeMap::new();
    for codes in codes.chunks(LOOKUPS) {
        let found = try_join_all(codes.iter().map(|code| products::product_of(&context.http, code))).await?;
        known.extend(codes.iter().copied().zip(found));
    }
    let mut products = Vec::with_capacity(new.lines.len());
    let mut errors = Vec::new();
    for (index, line) in new.lines.iter().enumerate() {
        let by_barcode = || line.barcode.as_deref().and_then(|code| known.get(code).copied().flatten());
        match line.product_id.or_else(by_barcode) {
            Some(product) => products.push(product),
            None => {
                let detail = "no product that is for sale has this barcode";
                errors.push(FieldError::at_pointer(format!("/lines/{index}/barcode"), "product-not-found", detail));
            }
        }
    }
    if errors.is_empty() { Ok(products) } else { Err(invalid(errors)) }
}
