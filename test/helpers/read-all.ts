export { readAll } from '#lib/testing/contracts/read-all.js';
