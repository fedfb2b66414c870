-- Which rows an analyst sees, where not every analyst may see all. Run it as an administrator, after users.sql.
--
-- A policy on a kept table holds for its view as well, for the view reads with the rights of whoever asks. The first
-- lines keep the writer and the readers as they are, the next ones show an analyst nothing unless another role does:
-- whether users without a policy see all or nothing is a setting of the server, and nothing here rests on it.
-- Health records never go through these roles: they have rules of their own in rxtrail.

CREATE ROW POLICY IF NOT EXISTS rxtrail_all ON rxtrail.kept_items FOR SELECT USING 1 TO rxtrail_writer, rxtrail_reader;
CREATE ROW POLICY IF NOT EXISTS rxtrail_all ON rxtrail.kept_events FOR SELECT USING 1 TO rxtrail_writer, rxtrail_reader;
CREATE ROW POLICY IF NOT EXISTS rxtrail_all ON rxtrail.kept_alerts FOR SELECT USING 1 TO rxtrail_writer, rxtrail_reader;
CREATE ROW POLICY IF NOT EXISTS rxtrail_all ON rxtrail.kept_notices FOR SELECT USING 1 TO rxtrail_writer, rxtrail_reader;

CREATE ROW POLICY IF NOT EXISTS rxtrail_none ON rxtrail.kept_items FOR SELECT USING 0 TO rxtrail_analyst;
CREATE ROW POLICY IF NOT EXISTS rxtrail_none ON rxtrail.kept_events FOR SELECT USING 0 TO rxtrail_analyst;
CREATE ROW POLICY IF NOT EXISTS rxtrail_none ON rxtrail.kept_alerts FOR SELECT USING 0 TO rxtrail_analyst;
CREATE ROW POLICY IF NOT EXISTS rxtrail_none ON rxtrail.kept_notices FOR SELECT USING 0 TO rxtrail_analyst;

-- A regulator sees the trail of every medicine.
CREATE ROLE IF NOT EXISTS rxtrail_regulator;
GRANT rxtrail_analyst TO rxtrail_regulator;
CREATE ROW POLICY IF NOT EXISTS rxtrail_regulator ON rxtrail.kept_items FOR SELECT USING 1 TO rxtrail_regulator;
CREATE ROW POLICY IF NOT EXISTS rxtrail_regulator ON rxtrail.kept_events FOR SELECT USING 1 TO rxtrail_regulator;
CREATE ROW POLICY IF NOT EXISTS rxtrail_regulator ON rxtrail.kept_alerts FOR SELECT USING 1 TO rxtrail_regulator;
CREATE ROW POLICY IF NOT EXISTS rxtrail_regulator ON rxtrail.kept_notices FOR SELECT USING 1 TO rxtrail_regulator;

-- A manufacturer sees the items of its own products and their cases, and no trail: one such role for each, with its
-- GTINs. It has rights on these two tables alone. A case that is no more has no item left: its row is the one that says
-- so, and is seen by all who see cases.
CREATE ROLE IF NOT EXISTS rxtrail_manufacturer_example SETTINGS PROFILE 'rxtrail_analyst';
GRANT SELECT ON rxtrail.items TO rxtrail_manufacturer_example;
GRANT SELECT ON rxtrail.kept_items TO rxtrail_manufacturer_example;
GRANT SELECT ON rxtrail.alerts TO rxtrail_manufacturer_example;
GRANT SELECT ON rxtrail.kept_alerts TO rxtrail_manufacturer_example;
GRANT SELECT ON rxtrail.pin TO rxtrail_manufacturer_example;
GRANT SELECT(id, kind, epoch, base, void, dead, at) ON rxtrail.commits TO rxtrail_manufacturer_example;
CREATE ROW POLICY IF NOT EXISTS rxtrail_manufacturer_example ON rxtrail.kept_items FOR SELECT
    USING gtin IN ('04012345123456', '04012345123463') TO rxtrail_manufacturer_example;
CREATE ROW POLICY IF NOT EXISTS rxtrail_manufacturer_example ON rxtrail.kept_alerts FOR SELECT
    USING gone OR match(coalesce(item, ''), '^01/(04012345123456|04012345123463)(/|$)') TO rxtrail_manufacturer_example;
