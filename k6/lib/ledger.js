// What a client knows of a cart because it was acknowledged: compared with what the cart says.

import { claim } from './claims.js';
import { insist, insistTogether, request } from './http.js';
import { unique } from './shop.js';

/** A ledger of one cart: units by product, of which `changes` are added up only if they are acknowledged. */
export class Ledger {
  constructor(cart, options = {}) {
    this.cart = cart;
    this.options = options;
    this.units = {};
    this.unanswered = 0;
  }

  /** Changes at once: `{product, delta}`. The first of each product has to be an addition. */
  change(changes, routes = { add: 'cart.add', change: 'cart.change' }) {
    const wanted = changes.map(({ product: { id }, delta }) => {
      const path = `/api/v1/carts/${this.cart}/items`;
      const options = { ...this.options, key: unique() };
      return delta > 0
        ? request('POST', routes.add, path, { ...options, body: { product_id: id, quantity: delta } })
        : request('PATCH', routes.change, `${path}/${id}`, { ...options, body: { delta } });
    });
    // With a key, so that one whose answer was lost is sent again and has its effect once.
    insistTogether(wanted).forEach((answer, index) => {
      const { product: { id }, delta } = changes[index];
      if (answer.ok) this.units[id] = (this.units[id] ?? 0) + delta;
      else this.unanswered += 1;
    });
  }

  /**
   * Compares the products that are this client's alone. Once a change was not answered, nobody knows what has to be
   * there: that is no look at the claim.
   */
  compare(route = 'cart.read') {
    if (this.unanswered > 0) return;
    const answer = insist(request('GET', route, `/api/v1/carts/${this.cart}`, this.options));
    if (!answer.ok) return;
    const lines = Object.fromEntries(answer.json.lines.map((line) => [line.product_id, line.quantity]));
    for (const [id, units] of Object.entries(this.units)) {
      const there = lines[id] ?? 0;
      claim('lost_updates', Math.abs(units - there), `product ${id} of cart ${this.cart}: ${there}, and ${units} were acknowledged`);
    }
  }
}
