// Large smooth synthetic features for the benchmarks; how they are drawn does not matter, that they are smooth does.

/** A generator of numbers in (−1, 1), seeded. */
function noise(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  };
}

/** `[height · width, dim]`: a few soft regions, a common mean and noise. */
export function smoothFeatures({ height, width, dim, seed }) {
  const random = noise(seed);
  const mean = Float32Array.from({ length: dim }, () => 0.8 * random());
  const regions = Array.from({ length: 8 }, () => ({
    y: Math.abs(random()) * height,
    x: Math.abs(random()) * width,
    spread: (1 + 5 * Math.abs(random())) ** 2,
    base: Float32Array.from({ length: dim }, random),
  }));
  const data = new Float32Array(height * width * dim);
  for (let i = 0; i < height * width; i++) {
    const [y, x] = [Math.floor(i / width), i % width];
    const closeness = regions.map((r) => 1 / (1 + ((y - r.y) ** 2 + (x - r.x) ** 2) / r.spread));
    const total = closeness.reduce((a, b) => a + b);
    const row = data.subarray(i * dim, (i + 1) * dim);
    for (let k = 0; k < dim; k++) row[k] = mean[k] + 0.5 * random();
    regions.forEach(({ base }, r) => {
      const share = closeness[r] / total;
      for (let k = 0; k < dim; k++) row[k] += share * base[k];
    });
  }
  return { type: 'float32', data, dims: [height * width, dim] };
}

/** `m` text rows, each leaning towards some vision token. */
export function textNear(vision, m, seed) {
  const random = noise(seed);
  const [n, dim] = vision.dims;
  const data = new Float32Array(m * dim);
  for (let i = 0; i < m; i++) {
    const j = Math.floor(Math.abs(random()) * n);
    for (let k = 0; k < dim; k++) data[i * dim + k] = random() + 0.3 * vision.data[j * dim + k];
  }
  return { type: 'float32', data, dims: [m, dim] };
}
