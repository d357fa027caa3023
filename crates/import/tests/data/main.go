// Makes the database file of the reference's bolt driver, as its version 0.9.6 writes it.
package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"time"

	bolt "go.etcd.io/bbolt"
)

func main() {
	db, err := bolt.Open(os.Args[1], 0600, &bolt.Options{Timeout: 5 * time.Second, NoFreelistSync: false, PageSize: 4096})
	if err != nil {
		panic(err)
	}
	many := len(os.Args) > 2
	count := 40
	if many {
		count = 200
	}
	err = db.Update(func(tx *bolt.Tx) error {
		users, _ := tx.CreateBucketIfNotExists([]byte("users"))
		idx, _ := tx.CreateBucketIfNotExists([]byte("users_id_idx"))
		for i := 0; i < count; i++ {
			name := fmt.Sprintf("user%04d", i)
			id, _ := users.NextSequence()
			user := map[string]any{"id": id, "status": 1, "username": name, "expiration_date": 0,
				"password": "$1$b5caebda$VODr/nyhGWgZaY8sJ4x05.", "home_dir": "/srv/" + name, "uid": 0, "gid": 0,
				"max_sessions": i, "quota_size": 0, "quota_files": 0, "permissions": map[string]any{"/": []string{"*"}},
				"used_quota_size": 0, "used_quota_files": 0, "last_quota_update": 0, "upload_bandwidth": 0,
				"download_bandwidth": 0, "last_login": 0, "filters": map[string]any{},
				"filesystem": map[string]any{"provider": 0, "s3config": map[string]any{}, "gcsconfig": map[string]any{}}}
			if i == 1 {
				user["public_keys"] = []string{"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f user1"}
				user["virtual_folders"] = []any{map[string]any{"virtual_path": "/shared", "mapped_path": "/srv/shared"}}
			}
			text, _ := json.Marshal(user)
			users.Put([]byte(name), text)
			key := make([]byte, 8)
			binary.BigEndian.PutUint64(key, id)
			idx.Put(key, []byte(name))
		}
		version, _ := tx.CreateBucketIfNotExists([]byte("db_version"))
		return version.Put([]byte("version"), []byte(`{"Version":3}`))
	})
	if err != nil {
		panic(err)
	}
	db.Close()
}
