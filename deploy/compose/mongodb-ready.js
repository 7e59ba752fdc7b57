// The health check of compose.yaml's MongoDB: makes the replica set the first time, then says whether services
// can write. Run by mongosh against `admin`, logged in as root.
try {
  rs.status();
} catch (error) {
  if (error.codeName !== 'NotYetInitialized') throw error;
  rs.initiate({ _id: 'rs0', members: [{ _id: 0, host: 'mongodb:27017' }] });
}
if (!db.hello().isWritablePrimary) throw new Error('not the primary yet');
