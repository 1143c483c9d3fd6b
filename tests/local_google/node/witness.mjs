// Google's own Node client against the local Google. Prints one JSON line; exits 1 when something is not as it should be.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const { google } = require('googleapis')
const { url, clientId, clientSecret, redirectUri, code, verifier } = JSON.parse(process.argv[2])

const client = new google.auth.OAuth2({
  clientId,
  clientSecret,
  redirectUri,
  endpoints: { oauth2AuthBaseUrl: `${url}/o/oauth2/v2/auth`, oauth2TokenUrl: `${url}/token`, oauth2RevokeUrl: `${url}/revoke` }
})
const { tokens } = await client.getToken({ code, codeVerifier: verifier })
assert.equal(tokens.token_type, 'Bearer')
assert.ok(tokens.refresh_token.startsWith('1//'))
client.setCredentials(tokens)

const people = google.oauth2({ version: 'v2', auth: client, rootUrl: `${url}/` })
assert.equal((await people.userinfo.get()).data.email, 'agent-one@example.com')
assert.equal((await people.tokeninfo({ access_token: tokens.access_token })).data.audience, clientId)

const api = google.calendar({ version: 'v3', auth: client, rootUrl: `${url}/` })
const { data: calendar } = await api.calendars.insert({ requestBody: { summary: 'Node', timeZone: 'America/Santiago' } })
const calendarId = calendar.id
const times = { start: { dateTime: '2030-05-06T10:00:00Z' }, end: { dateTime: '2030-05-06T11:00:00Z' } }

const { data: made } = await api.events.insert({ calendarId, requestBody: { id: 'abcde', summary: 'one', ...times } })
assert.equal(made.id, 'abcde')
assert.equal((await api.events.get({ calendarId, eventId: 'abcde' })).data.summary, 'one')
assert.equal((await api.events.patch({ calendarId, eventId: 'abcde', requestBody: { summary: 'two' } })).data.summary, 'two')
assert.equal((await api.events.update({ calendarId, eventId: 'abcde', requestBody: { summary: 'three', ...times } })).data.summary, 'three')

for (let n = 0; n < 4; n++) await api.events.insert({ calendarId, requestBody: { summary: `page ${n}`, ...times } })
const seen = []
let pageToken
do {
  const { data } = await api.events.list({ calendarId, maxResults: 2, pageToken })
  seen.push(...data.items.map(event => event.summary))
  pageToken = data.nextPageToken
} while (pageToken)
assert.equal(seen.length, 5)

await assert.rejects(api.events.insert({ calendarId, requestBody: { id: 'abcde', ...times } }), error => error.code === 409 || error.status === 409)
assert.equal((await api.events.delete({ calendarId, eventId: 'abcde' })).status, 204)
await assert.rejects(api.events.delete({ calendarId, eventId: 'abcde' }), error => error.status === 410)
await assert.rejects(
  api.events.patch({ calendarId, eventId: 'nothere', requestBody: {} }),
  error => error.status === 404 && error.response.data.error.errors[0].reason === 'notFound'
)

const before = client.credentials.access_token
const { credentials } = await client.refreshAccessToken()
assert.notEqual(credentials.access_token, before)
assert.equal((await client.revokeToken(credentials.refresh_token)).status, 200)
await assert.rejects(client.refreshAccessToken(), error => error.response.data.error === 'invalid_grant')
console.log(JSON.stringify({ calendarId, seen }))
