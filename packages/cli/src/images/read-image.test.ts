import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporary } from '../../../../vitest.temporary.js';
import { readImage } from './read-image.js';

let folder: string;
beforeAll(async () => {
  folder = temporary();
});

const solid = (channels: 3 | 4, background: object) =>
  sharp({ create: { width: 3, height: 2, channels, background } });

describe('readImage', () => {
  it('reads RGB pixels of any format, with transparency on white', async () => {
    await solid(3, { r: 255, g: 0, b: 0 }).webp({ lossless: true }).toFile(join(folder, 'red.webp'));
    await solid(4, { r: 0, g: 0, b: 0, alpha: 0 }).png().toFile(join(folder, 'clear.png'));
    await solid(3, { r: 9, g: 9, b: 9 }).toColourspace('b-w').png().toFile(join(folder, 'gray.png'));
    const red = await readImage('red.webp', folder);
    expect(red).toMatchObject({ width: 3, height: 2 });
    expect([...red.data.subarray(0, 3)]).toEqual([255, 0, 0]);
    expect([...(await readImage('clear.png', folder)).data.subarray(0, 3)]).toEqual([255, 255, 255]);
    expect([...(await readImage('gray.png', folder)).data]).toHaveLength(18);
  });

  it('applies the EXIF orientation', async () => {
    await solid(3, { r: 1, g: 2, b: 3 })
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toFile(join(folder, 'turned.jpg'));
    expect(await readImage('turned.jpg', folder)).toMatchObject({ width: 2, height: 3 });
  });

  it('reads from a URL', async () => {
    const png = await solid(3, { r: 1, g: 2, b: 3 }).png().toBuffer();
    const server = createServer(({ url }, response) => {
      response.statusCode = url === '/other.png' ? 404 : 200;
      if (url === '/cut.png') {
        response.setHeader('content-length', png.length);
        response.write(png.subarray(0, 20), () => response.destroy());
      } else response.end(png);
    }).listen(0);
    const at = `http://localhost:${(server.address() as AddressInfo).port}`;
    expect(await readImage(`${at}/image.png`, folder)).toMatchObject({ width: 3 });
    await expect(readImage(`${at}/other.png`, folder)).rejects.toThrow('the server answered 404');
    await expect(readImage(`${at}/cut.png`, folder)).rejects.toThrow("/cut.png': it could not be downloaded");
    server.close();
    await expect(readImage('http://localhost:1/x.png', folder)).rejects.toThrow('could not be downloaded');
  });

  it('reads a file: URL', async () => {
    await solid(3, { r: 1, g: 2, b: 3 }).png().toFile(join(folder, 'a b.png'));
    const { href } = pathToFileURL(join(folder, 'a b.png'));
    expect(await readImage(href, '/nowhere')).toMatchObject({ width: 3 });
    await expect(readImage('file://elsewhere.example/a.png', folder)).rejects.toThrow('write file:///path');
  });

  it.each([
    ['HEIC', '\0\0\0\x18ftypheic\0\0\0\0'],
    ['HEIC', '\0\0\0\x18ftypmif1\0\0\0\0'],
    ['BMP', 'BM\x36\0\0\0\0\0'],
    ['JPEG XL', '\xff\x0a\xfa'],
    ['PDF', '%PDF-1.7'],
  ])('names the format of a %s file and how to convert it', async (format, start) => {
    await expect(readImage(Buffer.from(start, 'latin1'), folder)).rejects.toThrow(
      `it is a ${format} file, which is not supported; convert it to PNG`,
    );
  });

  it('says what is wrong with a file', async () => {
    await writeFile(join(folder, 'text.png'), 'not an image');
    await expect(readImage('text.png', folder)).rejects.toMatchObject({
      code: 'MMTOK_INPUT_FILE',
      message: expect.stringContaining('not an image'),
    });
    await expect(readImage('nothing.png', folder)).rejects.toThrow(
      "Cannot use 'nothing.png': there is no such file or folder.",
    );
    await expect(readImage('.', folder)).rejects.toThrow('it is a folder');
    await expect(readImage('data:image/png;base64,AAAA', folder)).rejects.toThrow('data URLs are not read');
    const pointer = Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n');
    await expect(readImage(pointer, folder)).rejects.toThrow('git lfs pull');
    const page = Buffer.from('\n<!DOCTYPE html><title>Not found</title>');
    await expect(readImage(page, folder)).rejects.toThrow('an HTML page');
    const huge = '<svg xmlns="http://www.w3.org/2000/svg" width="16400" height="16400"/>';
    await expect(readImage(Buffer.from(huge), folder)).rejects.toThrow('more than 268 million pixels');
  });
});
