//! What is printed, as a whole: receipts and reports, in French and in English.

use sdk::Role;
use serde_json::{Value, json};

use crate::support::{MILK, Shop, TILL, basket, money, path, two_cokes_and_a_juice};

/// The afternoon of a day in winter, in Montréal.
async fn shop() -> Shop {
    Shop::at("2026-11-24T19:03:00Z".parse().unwrap()).await
}

async fn receipt(shop: &Shop, sale: &Value, accept: &str, language: &str) -> sdk::testing::TestResponse {
    let get = shop.app.get(format!("{}/receipt", path(sale))).as_role(Role::Pos);
    get.header("accept", accept).header("accept-language", language).send().await.expect_status(200)
}

const FRENCH: &str = "\
\x20        Comptoir Montréal Centre
\x20      1000, rue Sainte-Catherine O
\x20          Montréal QC H3B 1A1
\x20         TPS 00000 0001 RT0001
\x20         TVQ 0000000001 TQ0001
------------------------------------------
Reçu 1-2-000001           2026-11-24 14:03
Caisse : 2
Caissier : Julie
------------------------------------------
Coke
\x20 2 x 2,99 $                        5,98 $
Apple Juice                         3,49 $
------------------------------------------
Sous-total                          9,47 $
TPS (5 %)                           0,47 $
TVQ (9,975 %)                       0,94 $
Consigne                            0,30 $
Total                              11,18 $
Arrondi                             0,02 $
À payer                            11,20 $
------------------------------------------
Comptant                           20,00 $
Monnaie rendue                      8,80 $
------------------------------------------
\x20          Merci et à bientôt !
";

const ENGLISH: &str = "\
\x20        Comptoir Montréal Centre
\x20      1000, rue Sainte-Catherine O
\x20          Montréal QC H3B 1A1
\x20         GST 00000 0001 RT0001
\x20         QST 0000000001 TQ0001
------------------------------------------
Receipt 1-2-000002        2026-11-24 14:03
Register: 2
Cashier: Julie
------------------------------------------
Coke
\x20 2 x $2.99                          $5.98
\x20 Discount                          -$0.98
Chocolate Milk                       $4.25
------------------------------------------
Subtotal                             $9.25
GST (5%)                             $0.25
QST (9.975%)                         $0.50
Deposit                              $0.20
Total                               $10.20
------------------------------------------
Gift card                            $4.00
Card                                 $6.20
------------------------------------------
\x20        Thank you, see you soon!
";

#[tokio::test]
async fn a_receipt_in_french_and_in_english() {
    let shop = shop().await;
    let session = shop.session(TILL).await;
    let sale = shop.sold(session).await;
    let response = receipt(&shop, &sale, "text/plain", "fr-CA, en;q=0.5").await;
    assert_eq!(response.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!((response.header("content-language"), response.header("vary")), ("fr", "Accept, Accept-Language"));
    assert_eq!(response.text(), FRENCH);
    let without = shop.app.get(format!("{}/receipt", path(&sale))).as_role(Role::Pos).send().await;
    assert_eq!(without.expect_status(200).text(), FRENCH);

    let mut body = basket(session, &[(1, 2), (MILK, 1)], &[("gift_card", 400), ("card", 620)]);
    body["lines"][0]["discount"] = money(98);
    let sale = shop.sell(&body).await;
    let response = receipt(&shop, &sale, "text/plain", "en").await;
    assert_eq!((response.text().as_str(), response.header("content-language")), (ENGLISH, "en"));
}

#[tokio::test]
async fn a_page_of_it_says_the_same_and_loads_nothing() {
    let shop = shop().await;
    let open = shop.app.post(format!("/api/v1/registers/{TILL}/sessions")).as_role(Role::Pos);
    let body = json!({"cashier": "<b>Julie & Cie</b>", "opening_float": money(0)});
    let session = crate::support::uuid(&open.json(&body).send().await.expect_status(201).json::<Value>()["id"]);
    let sale = shop.sold(session).await;
    let response = receipt(&shop, &sale, "text/html,application/xhtml+xml,*/*;q=0.8", "fr").await;
    assert_eq!(response.header("content-type"), "text/html; charset=utf-8");
    let policy = response.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(policy.ends_with("base-uri 'none'; form-action 'none'; frame-ancestors 'none'"), "{policy}");
    assert_eq!(response.header("x-content-type-options"), "nosniff");
    let page = response.text();
    for part in [
        "<html lang=\"fr\">",
        "<title>Reçu 1-2-000001</title>",
        "<p class=\"c\">Comptoir Montréal Centre</p>",
        "<p>Caissier : &lt;b&gt;Julie &amp; Cie&lt;/b&gt;</p>",
        "<p class=\"r\"><span>2 x 2,99 $</span><span>5,98 $</span></p>",
        "<p class=\"r\"><span>TVQ (9,975 %)</span><span>0,94 $</span></p>",
        "<p class=\"r\"><span>Consigne</span><span>0,30 $</span></p>",
        "<p class=\"r s\"><span>À payer</span><span>11,20 $</span></p>",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("<b>") && !page.contains("<script"));
}

#[tokio::test]
async fn what_was_called_off_says_so_and_online_has_no_till() {
    let shop = shop().await;
    let session = shop.session(TILL).await;
    let sale = shop.sold(session).await;
    let _ = shop.void(&sale).send().await.expect_status(200);
    assert!(receipt(&shop, &sale, "text/plain", "fr").await.text().contains("         *** VENTE ANNULÉE ***\n"));
    assert!(receipt(&shop, &sale, "text/plain", "en").await.text().contains("*** SALE VOIDED ***"));
    let put = shop.app.put(format!("/internal/v1/sales/{}", shop.id())).as_role(Role::Service);
    let online: Value = put.json(&crate::support::online(&shop, 100)).send().await.expect_status(201).json();
    let text = receipt(&shop, &online, "text/plain", "fr").await.text();
    assert!(text.contains("Reçu 100-W-000001") && text.contains("Paiement en ligne"), "{text}");
    assert!(!text.contains("Caisse") && !text.contains("Arrondi"), "{text}");
}

#[tokio::test]
async fn what_is_not_to_be_had_is_not_acceptable() {
    let shop = shop().await;
    let session = shop.session(TILL).await;
    let sale = shop.sold(session).await;
    for path in [format!("{}/receipt", path(&sale)), format!("/api/v1/sessions/{session}/x-report")] {
        let get = shop.app.get(&path).as_role(Role::Pos).header("accept", "application/pdf");
        get.send().await.expect_problem(406, "not-acceptable");
    }
    let nothing = shop.app.get(format!("/api/v1/sales/{}/receipt", shop.id())).as_role(Role::Pos);
    nothing.send().await.expect_problem(404, "sale-not-found");
}

const Z: &str = "\
\x20        Comptoir Montréal Centre
\x20      1000, rue Sainte-Catherine O
\x20          Montréal QC H3B 1A1
\x20         TPS 00000 0001 RT0001
\x20         TVQ 0000000001 TQ0001
------------------------------------------
\x20         Rapport Z 1-2-Z000001
Caissier : Julie
Ouverture                 2026-11-24 14:03
Fermeture                 2026-11-24 22:03
Premier reçu                    1-2-000001
Dernier reçu                    1-2-000003
------------------------------------------
Ventes brutes                      18,94 $
Rabais                              0,00 $
Ventes nettes                      18,94 $
TPS (5 %)                           0,94 $
TVQ (9,975 %)                       1,88 $
Consigne                            0,60 $
Ventes (2)                         22,36 $
Arrondi                             0,02 $
Annulations (1)                    11,20 $
Retours (1)                         3,54 $
------------------------------------------
Paiements
\x20 Carte (1)                        11,18 $
\x20 Comptant (1)                     20,00 $
Monnaie rendue                      8,80 $
Remboursements
\x20 Comptant (1)                      3,55 $
------------------------------------------
Tiroir-caisse
Fonds de caisse                   100,00 $
Comptant                           20,00 $
Monnaie rendue                     -8,80 $
Remboursements                     -3,55 $
Entrées                             0,00 $
Sorties                           -50,00 $
Attendu                            57,65 $
Compté                             57,60 $
Écart                              -0,05 $
";

#[tokio::test]
async fn a_z_report_in_french_and_an_x_report_in_english() {
    let shop = shop().await;
    let session = shop.session(TILL).await;
    let sale = shop.sold(session).await;
    let _ = shop.sell(&two_cokes_and_a_juice(session, &[("card", 1_118)])).await;
    let voided = shop.sold(session).await;
    let _ = shop.void(&voided).send().await.expect_status(200);
    let _ = shop.bring_back(&sale, session, &[(1, 1, "resalable")]).send().await.expect_status(201);
    let _ = shop.move_cash(session, "out", 5_000).send().await.expect_status(201);
    let get = |report: &str, language: &str| {
        let get = shop.app.get(format!("/api/v1/sessions/{session}/{report}")).as_role(Role::Pos);
        get.header("accept", "text/plain").header("accept-language", language).send()
    };
    let x = get("x-report", "en").await.expect_status(200);
    for line in [
        "                 X report\n",
        "Opened                    2026-11-24 14:03\n",
        "Sales (2)                           $22.36\n",
        "Expected                            $57.65\n",
    ] {
        assert!(x.text().contains(line), "{line:?}: {}", x.text());
    }
    assert!(!x.text().contains("Counted"), "{}", x.text());
    shop.pass(8 * 3_600);
    let _ = shop.close(session, 5_760).send().await.expect_status(200);
    assert_eq!(get("z-report", "fr").await.expect_status(200).text(), Z);
}
