// `mmtok verify`: whether pruning is right and worth it on a model, as a table, a page and JSON to attach to an issue.

import { mkdir, writeFile } from 'node:fs/promises';
import { arch, cpus, platform, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import type { VerifiedPicture, VerifyReport } from '@mmtok/transformers/verify';
import { EXIT } from '../errors/explain-failure.js';
import { InputFileError } from '../errors.js';
import type { VerifyRequest } from '../models/verify-model.js';
import { colorsFor } from '../terminal/colors.js';
import { print, printJson } from '../terminal/io.js';
import { createStatusLine } from '../terminal/status-line.js';
import type { Context } from './context.js';
import { verifyPage } from './verify-report.js';
import { verifyLines } from './verify-table.js';

/** What `mmtok verify` was asked for. */
export interface VerifyCommand extends VerifyRequest {
  /** The folder of verify.html and verify.json. */
  readonly out: string;
  readonly json: boolean;
  /** Versions of this program, for the report. */
  readonly version: string;
}

/** What is written as JSON: the report without its pictures, and the machine. */
export interface VerifyDocument {
  readonly mmtok: string;
  readonly machine: string;
  readonly report: Omit<VerifyReport, 'pictures'> & {
    readonly pictures: readonly Omit<VerifiedPicture, 'preview'>[];
  };
}

/**
 * Verifies a model, prints a table, and writes a page and JSON.
 * @returns The exit code: a failure if a check failed.
 * @throws InputFileError if the folder cannot be written.
 */
export async function verify(
  { out, json, version, ...request }: VerifyCommand,
  { io, services }: Context,
): Promise<number> {
  const folder = resolve(io.cwd, out);
  // Before the work, which takes minutes.
  await writing(folder, () => mkdir(folder, { recursive: true }));
  const status = createStatusLine(io.stderr);
  const verified = await services.verifyModel(request, io, ({ done, total, what }) =>
    status.show(`${done + 1} of ${total}: ${what} …`),
  );
  status.clear();
  // As it was called: the path of a folder is nobody's business.
  const report = { ...verified, model: { ...verified.model, source: request.model } };
  const head = { mmtok: version, machine: machineInWords() };
  const document: VerifyDocument = { ...head, report: withoutPreviews(report) };
  const files = [
    ['verify.json', JSON.stringify(document, null, 2)],
    ['verify.html', verifyPage({ ...head, report })],
  ] as const;
  for (const [name, text] of files)
    await writing(join(folder, name), () => writeFile(join(folder, name), text));
  if (json) printJson(io.stdout, document);
  else {
    const width = Math.min(io.stdout.columns ?? 100, 120);
    for (const line of verifyLines(report, width, colorsFor(io.stdout, io.env))) print(io.stdout, line);
    print(io.stdout);
    print(
      io.stdout,
      `Wrote ${join(out, 'verify.html')} and ${join(out, 'verify.json')}, which an issue may have as an attachment.`,
    );
  }
  return report.passed ? EXIT.ok : EXIT.failure;
}

function withoutPreviews(report: VerifyReport): VerifyDocument['report'] {
  return { ...report, pictures: report.pictures.map(({ preview: _, ...picture }) => picture) };
}

function machineInWords(): string {
  const [cpu] = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return `${platform()} ${arch()}, Node ${process.versions.node}, ${cpus().length} × ${cpu?.model ?? 'CPU'}, ${memory}`;
}

async function writing(path: string, write: () => Promise<unknown>): Promise<void> {
  await write().catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new InputFileError(path, `it cannot be written (${reason})`, { cause });
  });
}
