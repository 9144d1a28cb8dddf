#include "csqlite.h"

#include <sqlite3.h>
#include <stddef.h>

void fettle_keep_journal(void *connection, int keeps) {
  sqlite3_db_config((sqlite3 *)connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keeps, NULL);
}

int fettle_sync_journal(void *connection) {
  sqlite3_file *journal = NULL;
  int result = sqlite3_file_control((sqlite3 *)connection, "main", SQLITE_FCNTL_JOURNAL_POINTER, &journal);
  if (result != SQLITE_OK) return result;
  if (!journal || !journal->pMethods) return SQLITE_IOERR_FSYNC;
  return journal->pMethods->xSync(journal, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
}
