// The accounts service of examples/bank as a Go team would write it by hand: net/http, pgx, one table of events in
// PostgreSQL. Optimistic concurrency by the primary key (stream, version); the state of each account is kept in memory and
// caught up from the table when another writer was faster. Commands of one account queue on its lock, so that on a hot
// account a process does not race against itself: without that lock it is several times slower there.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	attemptsMax     = 16
	bodyBytesMax    = 64 * 1024
	uniqueViolation = "23505"
)

const schema = `
CREATE TABLE IF NOT EXISTS events (
    stream      text        NOT NULL,
    version     bigint      NOT NULL,
    type        text        NOT NULL,
    payload     jsonb       NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (stream, version)
)`

const insertEvent = `INSERT INTO events (stream, version, type, payload) VALUES ($1, $2, $3, $4)`
const selectTail = `SELECT version, type, payload FROM events WHERE stream = $1 AND version > $2 ORDER BY version`

var errRefused = errors.New("refused")
var errConflict = errors.New("too many conflicts")

type command struct {
	Owner          string `json:"owner,omitempty"`
	Currency       string `json:"currency,omitempty"`
	OverdraftLimit string `json:"overdraft_limit,omitempty"`
	OpeningDeposit string `json:"opening_deposit,omitempty"`
	Amount         string `json:"amount,omitempty"`
}

type opened struct {
	Owner          string `json:"owner"`
	Currency       string `json:"currency"`
	OverdraftLimit string `json:"overdraft_limit"`
}
type moved struct {
	Amount string `json:"amount"`
}

type event struct {
	kind    string
	payload any
}

type account struct {
	lock           sync.Mutex
	version        int64
	open           bool
	owner          string
	currency       string
	balance        int64 // minor units
	overdraftLimit int64
}

func parseMoney(text string) (int64, error) {
	whole, cents, found := strings.Cut(text, ".")
	var units, minor int64
	if !found || len(cents) != 2 {
		return 0, fmt.Errorf("'%s': expected a decimal string with two digits", text)
	}
	if _, err := fmt.Sscanf(whole, "%d", &units); err != nil {
		return 0, err
	}
	if _, err := fmt.Sscanf(cents, "%d", &minor); err != nil {
		return 0, err
	}
	return units*100 + minor, nil
}

func formatMoney(minor int64) string {
	sign := ""
	if minor < 0 {
		sign, minor = "-", -minor
	}
	return fmt.Sprintf("%s%d.%02d", sign, minor/100, minor%100)
}

func (a *account) evolve(kind string, payload []byte) error {
	switch kind {
	case "opened":
		var e opened
		if err := json.Unmarshal(payload, &e); err != nil {
			return err
		}
		limit, err := parseMoney(e.OverdraftLimit)
		a.open, a.owner, a.currency, a.overdraftLimit = true, e.Owner, e.Currency, limit
		return err
	default:
		var e moved
		if err := json.Unmarshal(payload, &e); err != nil {
			return err
		}
		amount, err := parseMoney(e.Amount)
		if kind == "withdrawn" {
			amount = -amount
		}
		a.balance += amount
		return err
	}
}

func (a *account) decide(name string, c command) ([]event, error) {
	switch name {
	case "open":
		if a.open {
			return nil, fmt.Errorf("%w: already open", errRefused)
		}
		return []event{{"opened", opened{c.Owner, c.Currency, c.OverdraftLimit}}, {"deposited", moved{c.OpeningDeposit}}}, nil
	case "deposit", "withdraw":
		amount, err := parseMoney(c.Amount)
		if err != nil || amount <= 0 {
			return nil, fmt.Errorf("%w: bad amount", errRefused)
		}
		if !a.open {
			return nil, fmt.Errorf("%w: not open", errRefused)
		}
		if name == "deposit" {
			return []event{{"deposited", moved{c.Amount}}}, nil
		}
		if a.balance+a.overdraftLimit < amount {
			return nil, fmt.Errorf("%w: insufficient funds", errRefused)
		}
		return []event{{"withdrawn", moved{c.Amount}}}, nil
	}
	return nil, fmt.Errorf("%w: unknown command", errRefused)
}

type service struct {
	pool     *pgxpool.Pool
	accounts sync.Map // id -> *account
}

func (s *service) account(id string) *account {
	if known, ok := s.accounts.Load(id); ok {
		return known.(*account)
	}
	known, _ := s.accounts.LoadOrStore(id, &account{})
	return known.(*account)
}

func (s *service) catchUp(ctx context.Context, id string, a *account) error {
	rows, err := s.pool.Query(ctx, selectTail, id, a.version)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var version int64
		var kind string
		var payload []byte
		if err := rows.Scan(&version, &kind, &payload); err != nil {
			return err
		}
		if err := a.evolve(kind, payload); err != nil {
			return err
		}
		a.version = version
	}
	return rows.Err()
}

// One statement is one transaction; several events of one command share one.
func (s *service) store(ctx context.Context, id string, version int64, kinds []string, payloads [][]byte) error {
	if len(kinds) == 1 {
		_, err := s.pool.Exec(ctx, insertEvent, id, version, kinds[0], payloads[0])
		return err
	}
	tx, err := s.pool.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback(ctx)
	for i := range kinds {
		if _, err := tx.Exec(ctx, insertEvent, id, version+int64(i), kinds[i], payloads[i]); err != nil {
			return err
		}
	}
	return tx.Commit(ctx)
}

func (s *service) handle(ctx context.Context, id, name string, c command) (int64, error) {
	a := s.account(id)
	a.lock.Lock()
	defer a.lock.Unlock()
	if a.version == 0 {
		if err := s.catchUp(ctx, id, a); err != nil {
			return 0, err
		}
	}
	for attempt := 0; attempt < attemptsMax; attempt++ {
		events, err := a.decide(name, c)
		if err != nil {
			return a.version, err
		}
		kinds := make([]string, len(events))
		payloads := make([][]byte, len(events))
		for i, e := range events {
			kinds[i] = e.kind
			if payloads[i], err = json.Marshal(e.payload); err != nil {
				return 0, err
			}
		}
		err = s.store(ctx, id, a.version+1, kinds, payloads)
		var failure *pgconn.PgError
		if errors.As(err, &failure) && failure.Code == uniqueViolation {
			if err := s.catchUp(ctx, id, a); err != nil {
				return 0, err
			}
			continue
		}
		if err != nil {
			return 0, err
		}
		for i := range kinds {
			if err := a.evolve(kinds[i], payloads[i]); err != nil {
				return 0, err
			}
			a.version++
		}
		return a.version, nil
	}
	return 0, errConflict
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}

func (s *service) command(w http.ResponseWriter, r *http.Request, id, name string) {
	var c command
	reader := json.NewDecoder(http.MaxBytesReader(w, r.Body, bodyBytesMax))
	reader.DisallowUnknownFields()
	if err := reader.Decode(&c); err != nil {
		reply(w, 400, map[string]any{"title": err.Error()})
		return
	}
	version, err := s.handle(r.Context(), id, name, c)
	switch {
	case err == nil:
		reply(w, 200, map[string]any{"id": id, "version": version})
	case errors.Is(err, errRefused):
		reply(w, 409, map[string]any{"title": err.Error(), "version": version})
	case errors.Is(err, errConflict):
		reply(w, 412, map[string]any{"title": err.Error()})
	default:
		reply(w, 503, map[string]any{"title": err.Error()})
	}
}

func (s *service) state(w http.ResponseWriter, r *http.Request, id string) {
	a := s.account(id)
	a.lock.Lock()
	defer a.lock.Unlock()
	if err := s.catchUp(r.Context(), id, a); err != nil {
		reply(w, 503, map[string]any{"title": err.Error()})
		return
	}
	if a.version == 0 {
		reply(w, 404, map[string]any{"title": "no such account"})
		return
	}
	reply(w, 200, map[string]any{"id": id, "open": a.open, "owner": a.owner, "currency": a.currency,
		"balance": formatMoney(a.balance), "overdraft_limit": formatMoney(a.overdraftLimit), "version": a.version})
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch {
	case len(parts) == 3 && parts[0] == "accounts" && r.Method == http.MethodPost:
		s.command(w, r, parts[1], parts[2])
	case len(parts) == 2 && parts[0] == "accounts" && r.Method == http.MethodGet:
		s.state(w, r, parts[1])
	default:
		reply(w, 404, map[string]any{"title": "no such route"})
	}
}

func main() {
	database := flag.String("database", "", "connection string of PostgreSQL")
	connections := flag.Int("connections", 32, "connections to PostgreSQL")
	port := flag.Int("port", 0, "port to listen on; 0 lets the system choose")
	flag.Parse()

	ctx := context.Background()
	config, err := pgxpool.ParseConfig(*database)
	if err != nil {
		log.Fatal(err)
	}
	config.MaxConns = int32(*connections)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	if _, err := pool.Exec(ctx, schema); err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("go-postgres serves http://%s\n", listener.Addr())
	server := &http.Server{Handler: &service{pool: pool}}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		<-stop
		server.Close()
	}()
	if err := server.Serve(listener); err != http.ErrServerClosed {
		log.Fatal(err)
	}
}
