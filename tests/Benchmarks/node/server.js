// The worker's job as one would write it in Express: read the form, compare the application_token, send the page.
const crypto = require('node:crypto');
const express = require('express');

const [port, token, page, policy] = process.argv.slice(2);
const expected = crypto.createHash('sha256').update(token).digest();
const body = Buffer.from(page, 'base64');

const app = express();
app.disable('x-powered-by');
app.disable('etag');
app.use(express.urlencoded({ extended: false, limit: '64kb' }));
app.post('/placements/page-background-worker', (request, response) => {
  const actual = crypto.createHash('sha256').update(request.body.APPLICATION_TOKEN ?? '').digest();
  if (!crypto.timingSafeEqual(actual, expected)) return response.status(403).end();
  JSON.parse(request.body.PLACEMENT_OPTIONS ?? '{}');
  response.set({ 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-cache', 'Content-Security-Policy': policy, 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer' });
  response.send(body);
});
app.listen(Number(port), '127.0.0.1');
