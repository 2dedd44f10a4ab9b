// Numbers for people.

/** Milliseconds without needless digits: `0.4`, `7.2`, `38`, `1 204`. */
export function formatMs(ms: number): string {
  if (ms < 9.95) return ms.toFixed(1);
  return groupDigits(Math.round(ms));
}

/** A share as a percentage: `9.8 %`. */
export function formatShare(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** Bytes in decimal units: `7.5 MB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1e6) return `${Math.round(bytes / 1e3)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}

function groupDigits(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ' ');
}
