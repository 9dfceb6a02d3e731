// Seeded random numbers (sfc32 of PractRand). They use only integer arithmetic, so every machine draws the same numbers.

const WARM_UP = 15; // rounds until words that differ in one bit have spread over the state

/** Returns the generator of one image, seeded by the image's place, so that images do not depend on the order of drawing. */
export function randomOf(seed, split, digit, index) {
  let [a, b, c, counter] = [seed, split * 10 + digit, index, 1];
  const next = () => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let i = 0; i < WARM_UP; i++) next();
  return {
    between: (low, high) => low + ((high - low) * next()) / 2 ** 32,
    below: (n) => next() % n,
  };
}
