-- The stores of inventory, with three tills each and a register for what is bought online; the warehouse has one of
-- those as well, for what is delivered and is no store's sale. The tax numbers are made up: no registrant has them.
insert into stores (id, name, street, city, gst_number, qst_number) values
    (1, 'Comptoir Montréal Centre', '1000, rue Sainte-Catherine O', 'Montréal QC H3B 1A1', '00000 0001 RT0001', '0000000001 TQ0001'),
    (2, 'Comptoir Québec', '200, rue Saint-Jean', 'Québec QC G1R 1P1', '00000 0002 RT0001', '0000000002 TQ0001'),
    (3, 'Comptoir Sherbrooke', '30, rue Wellington N', 'Sherbrooke QC J1H 5B1', '00000 0003 RT0001', '0000000003 TQ0001'),
    (4, 'Comptoir Trois-Rivières', '400, rue des Forges', 'Trois-Rivières QC G9A 2H1', '00000 0004 RT0001', '0000000004 TQ0001'),
    (5, 'Comptoir Gatineau', '50, boulevard Gréber', 'Gatineau QC J8T 3P1', '00000 0005 RT0001', '0000000005 TQ0001'),
    (100, 'Comptoir en ligne', '10, rue de l''Entrepôt', 'Montréal QC H4N 1A1', '00000 0100 RT0001', '0000000100 TQ0001');

-- Till 2 of store 1 is 12; what is bought online of store 1 is 19.
insert into registers (id, store_id, code, name, kind, created_at)
select s.id * 10 + t.till, s.id, t.till::text, 'Caisse ' || t.till, 'till', timestamptz '2026-01-01 05:00:00+00'
from stores s
cross join generate_series(1, 3) as t (till)
where s.id < 100;

insert into registers (id, store_id, code, name, kind, created_at)
select s.id * 10 + 9, s.id, 'W', 'En ligne', 'online', timestamptz '2026-01-01 05:00:00+00'
from stores s;
