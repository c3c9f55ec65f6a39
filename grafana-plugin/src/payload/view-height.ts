/** Height of a payload view in CSS pixels: fits under the tabs of a drawer on a small screen. */
export const VIEW_PX = 480;
