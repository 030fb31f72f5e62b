-- How what was brought back is; what is damaged is written off by the same voucher. What was recorded before this
-- step could be sold again.
alter table vouchers add column condition text not null default 'resalable';
alter table vouchers add constraint vouchers_condition_known check (condition in ('resalable', 'damaged'));
