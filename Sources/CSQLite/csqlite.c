#include "csqlite.h"

#include <sqlite3.h>
#include <stddef.h>

void fettle_keep_journal(void *connection, int keeps) {
  sqlite3_db_config((sqlite3 *)connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keeps, NULL);
}
