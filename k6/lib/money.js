// Money as this client computes it by itself, to compare with what the services say. Whole cents: a number
// holds whole ones exactly up to 2^53.

export function money(cents) {
  return { amount: cents, currency: 'CAD' };
}

/**
 * What lines of the category `standard` come to: `{price, deposit, quantity}` in cents. GST is 5 %, QST 9.975 %, each
 * on the sum and rounded half up once; deposits are untaxed.
 */
export function totalOf(lines) {
  const sum = (of) => lines.reduce((all, line) => all + of(line), 0);
  const subtotal = sum((line) => line.price * line.quantity);
  const gst = Math.floor((subtotal * 5 + 50) / 100);
  const qst = Math.floor((subtotal * 9975 + 50000) / 100000);
  return subtotal + gst + qst + sum((line) => line.deposit * line.quantity);
}

/** What of it is paid in cash: to the nearest five cents. */
export function inCash(cents) {
  return Math.floor((cents + 2) / 5) * 5;
}
