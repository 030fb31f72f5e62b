// A barcode reader is a keyboard that types faster than anybody: digits, and then Enter. Wherever the focus is, what it
// types is a product, and does not stay in the field that it fell into. The field that is for it does without this.

const GAP_MS = 80;
const DIGITS = { least: 8, most: 14 };

/** `found` is told of each code that was not meant for what matches `own`. */
export function listen(own, found) {
  let code = '';
  let last = 0;
  let field = null;
  let before = '';
  addEventListener(
    'keydown',
    (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches?.(own)) return;
      const isFast = event.timeStamp - last < GAP_MS;
      last = event.timeStamp;
      if (/^\d$/.test(event.key)) {
        if (!isFast || code === '') {
          code = '';
          field = event.target instanceof HTMLInputElement ? event.target : null;
          before = field?.value ?? '';
        }
        code += event.key;
        return;
      }
      const isCode = event.key === 'Enter' && isFast && code.length >= DIGITS.least && code.length <= DIGITS.most;
      if (isCode) {
        event.preventDefault();
        event.stopImmediatePropagation();
        if (field) {
          field.value = before;
          field.dispatchEvent(new Event('input', { bubbles: true }));
        }
        found(code);
      }
      code = '';
    },
    { capture: true },
  );
}
