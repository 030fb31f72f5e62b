// Receipt numbers, as they are printed.

/** Numbers between the first and the last that no sale has: `1-AB12-000042` is 42. */
export function gaps(sales) {
  const numbers = sales.map(({ number }) => Number(number.slice(number.lastIndexOf('-') + 1)));
  if (numbers.length === 0) return 0;
  const span = Math.max(...numbers) - Math.min(...numbers) + 1;
  return Math.abs(span - numbers.length) + (numbers.length - new Set(numbers).size);
}
