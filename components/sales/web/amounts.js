// What a basket costs and how it is paid: the rules of the crate `pricing`, for when nobody can be asked. While somebody
// can, the services' own figures are shown. Integer cents throughout, no floating point.

const CURRENCY = 'CAD';
const WHOLE = 100_000; // of a rate in thousandths of a percent
const COIN = 5;

export const CASH = 'cash';
export const cad = (amount) => ({ amount, currency: CURRENCY });

/** In thousandths: `9.975` is 9975. */
function thousandths(percent) {
  const [whole, fraction = ''] = percent.split('.');
  return Number(whole) * 1000 + Number(fraction.padEnd(3, '0').slice(0, 3));
}

/** Half up, once, on the sum of the lines. */
const taxOn = (base, rate) => Math.floor((base * rate + WHOLE / 2) / WHOLE);

/**
 * Of lines `{ product, quantity }`, as /api/v1/price-quotes has it. `rates(code)` has the rates of a tax category,
 * `{ gst: '5.000', qst: '9.975' }`.
 */
export function quote(lines, rates) {
  const bases = new Map();
  const quoted = lines.map(({ product, quantity }) => {
    const net = product.price.amount * quantity;
    const of = rates(product.tax_category);
    for (const tax of ['gst', 'qst']) {
      const group = `${tax.toUpperCase()} ${of[tax]}`;
      if (thousandths(of[tax]) > 0) bases.set(group, (bases.get(group) ?? 0) + net);
    }
    const deposit = product.deposit.amount * quantity;
    return { product_id: product.id, quantity, unit_price: product.price, net, deposit };
  });
  const taxes = [...bases].sort().map(([group, taxable]) => {
    const [code, rate] = group.split(' ');
    return { code, rate, amount: taxOn(taxable, thousandths(rate)) };
  });
  const subtotal = sum(quoted.map(({ net }) => net));
  const deposits = sum(quoted.map(({ deposit }) => deposit));
  return {
    lines: quoted.map((line) => ({ ...line, net: cad(line.net), deposit: cad(line.deposit) })),
    subtotal: cad(subtotal),
    taxes: taxes.map((tax) => ({ ...tax, amount: cad(tax.amount) })),
    deposits: cad(deposits),
    total: cad(subtotal + deposits + sum(taxes.map(({ amount }) => amount))),
  };
}

export const sum = (amounts) => amounts.reduce((total, amount) => total + amount, 0);

/** To five cents: 1 and 2 down, 3 and 4 up. */
export const inCash = (cents) => cents - (cents % COIN) + (cents % COIN < 3 ? 0 : COIN);

/** Whether it can be counted out: there is no smaller coin. */
export const isCoins = (cents) => cents % COIN === 0;

/**
 * What is still to pay for `total` after these payments, `{ method, cents }`, in cash and by other means; and once
 * nothing is, the change. Cash pays what other means leave, and only that is rounded.
 */
export function settle(total, payments) {
  const of = (cash) => sum(payments.filter(({ method }) => (method === CASH) === cash).map(({ cents }) => cents));
  const [cash, other] = [of(true), of(false)];
  const rest = total - other;
  const dueInCash = inCash(rest) - cash;
  const due = rest - cash;
  const isPaid = rest === 0 || (cash > 0 && dueInCash <= 0);
  return {
    isPaid,
    due: isPaid ? 0 : Math.max(due, 0),
    dueInCash: isPaid ? 0 : Math.max(dueInCash, 0),
    rounding: cash > 0 ? inCash(rest) - rest : 0,
    payable: total + (cash > 0 ? inCash(rest) - rest : 0),
    change: isPaid ? cash - (cash > 0 ? inCash(rest) : 0) : 0,
  };
}
