export * from '#lib/testing/tar-builder.js';
