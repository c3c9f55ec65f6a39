/** Height of a row in CSS pixels: four units of Grafana's spacing grid. Fixed, since rows are placed by arithmetic. */
export const ROW_PX = 32;
