-- Where products are found, and how they are taxed.

insert into categories (code, parent_code, name_en, name_fr, created_at)
select code, parent_code, name_en, name_fr, '2024-01-01 05:00:00+00'
from (
  values
    ('beverages', null, 'Beverages', 'Boissons'),
    ('food', null, 'Food', 'Alimentation'),
    ('home', null, 'Home', 'Maison'),
    ('soft-drinks', 'beverages', 'Soft drinks', 'Boissons gazeuses'),
    ('juices', 'beverages', 'Juices and fruit drinks', 'Jus et boissons aux fruits'),
    ('water', 'beverages', 'Water', 'Eaux'),
    ('coffee-tea', 'beverages', 'Coffee and tea', 'Café et thé'),
    ('dairy', 'food', 'Dairy and eggs', 'Produits laitiers et œufs'),
    ('bakery', 'food', 'Bakery', 'Boulangerie'),
    ('produce', 'food', 'Fruits and vegetables', 'Fruits et légumes'),
    ('snacks', 'food', 'Snacks', 'Grignotines'),
    ('candy', 'food', 'Candy and chocolate', 'Friandises et chocolat'),
    ('pantry', 'food', 'Pantry', 'Garde-manger'),
    ('frozen', 'food', 'Frozen food', 'Produits surgelés'),
    ('ready-to-eat', 'food', 'Ready to eat', 'Prêt-à-manger'),
    ('household', 'home', 'Household', 'Entretien ménager'),
    ('personal-care', 'home', 'Personal care', 'Soins personnels'),
    ('baby', 'home', 'Baby', 'Bébé'),
    ('pets', 'home', 'Pets', 'Animaux'),
    ('press', 'home', 'Books and newspapers', 'Livres et journaux')
) as seed (code, parent_code, name_en, name_fr);

-- GST 5 %, QST 9.975 %. Basic groceries are zero-rated for both; printed books and diapers for QST only, which
-- is why the two rates are kept apart.
insert into tax_categories (code, name_en, name_fr, created_at)
select code, name_en, name_fr, '2024-01-01 05:00:00+00'
from (
  values
    ('standard', 'Taxable', 'Taxable'),
    ('zero-rated', 'Zero-rated: basic groceries', 'Détaxé : produits alimentaires de base'),
    ('gst-only', 'GST only: books, diapers', 'TPS seulement : livres, couches'),
    ('food-gst-only', 'Food, GST only', 'Aliments, TPS seulement')
) as seed (code, name_en, name_fr);

insert into tax_rates (tax_category_code, tax, rate_thousandths, valid, created_at)
select code, tax, rate_thousandths, daterange(null, null), '2024-01-01 05:00:00+00'
from (
  values
    ('standard', 'gst', 5000),
    ('standard', 'qst', 9975),
    ('zero-rated', 'gst', 0),
    ('zero-rated', 'qst', 0),
    ('gst-only', 'gst', 5000),
    ('gst-only', 'qst', 0),
    ('food-gst-only', 'gst', 5000),
    ('food-gst-only', 'qst', 0)
) as seed (code, tax, rate_thousandths);
