// Prints when Kubernetes' own CronJob controller would start jobs: the goldens that hold the operator's
// schedules (tests/unit/cron/goldens/cron.json). It calls the controller's functions, of the pinned release.
//
// Run it with: make goldens
package main

import (
	"encoding/json"
	"os"
	"strings"
	"time"
	_ "time/tzdata"
	_ "unsafe"

	"github.com/robfig/cron/v3"
	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	_ "k8s.io/kubernetes/pkg/controller/cronjob"
)

//go:linkname mostRecentScheduleTime k8s.io/kubernetes/pkg/controller/cronjob.mostRecentScheduleTime
func mostRecentScheduleTime(cj *batchv1.CronJob, now time.Time, schedule cron.Schedule, includeStartingDeadlineSeconds bool) (time.Time, *time.Time, int, error)

type next struct {
	Schedule string   `json:"schedule"`
	Zone     string   `json:"zone"`
	After    string   `json:"after"`
	Times    []string `json:"times"`
}

type recent struct {
	Schedule string  `json:"schedule"`
	Zone     string  `json:"zone"`
	Earliest string  `json:"earliest"`
	Now      string  `json:"now"`
	At       *string `json:"at"`
	Missed   string  `json:"missed"`
}

type goldens struct {
	Comment  string   `json:"comment"`
	Next     []next   `json:"next"`
	Recent   []recent `json:"recent"`
	Accepted []string `json:"accepted"`
	Refused  []string `json:"refused"`
}

var expressions = []string{
	"* * * * *", "*/7 * * * *", "0 * * * *", "30 0 * * *", "0 0 * * *", "15 1 * * *", "30 1 * * *", "0 2 * * *",
	"30 2 * * *", "59 2 * * *", "0 3 * * *", "30 23 * * *", "*/15 1-3 * * *", "5/20 0 * * *", "0 6-16/4 * * 1-5",
	"0 0 1 * *", "0 0 31 * *", "0 0 29 2 *", "0 12 1,15 * 1", "0 12 */10 * mon", "0 12 * * sun", "0 12 ? * 6",
	"0 0 1 jan *", "0 0 13 * fri", "@hourly", "@daily", "@weekly", "@monthly", "@yearly", "@every 90m", "@every 36h15m",
}

// Each begins some hours before a change of the clocks.
var moments = []struct{ zone, after string }{
	{"UTC", "2025-12-30T23:17:41Z"},
	{"Europe/Paris", "2026-03-28T20:00:00Z"},
	{"Europe/Paris", "2026-10-24T20:00:30Z"},
	{"America/New_York", "2026-03-07T20:00:00Z"},
	{"America/New_York", "2026-10-31T20:00:00Z"},
	{"Australia/Lord_Howe", "2026-04-04T06:00:00Z"},
	{"Australia/Lord_Howe", "2026-10-03T06:00:00Z"},
	{"America/Sao_Paulo", "2018-02-17T12:00:00Z"},
	{"America/Sao_Paulo", "2018-11-03T12:00:00Z"},
	{"Africa/Cairo", "2026-04-23T12:00:00Z"},
	{"Africa/Cairo", "2026-10-29T12:00:00Z"},
	{"Asia/Beirut", "2026-03-28T12:00:00Z"},
	{"Asia/Beirut", "2026-10-24T12:00:00Z"},
	{"America/Santiago", "2026-09-05T12:00:00Z"},
	{"Asia/Kolkata", "2026-06-30T18:00:00Z"},
	// Not Pacific/Apia in 2011, which left a day out: robfig/cron looks for it for ever.
}

var doubtful = []string{
	"", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 13 *", "* * * 0 *",
	"* * * * 7", "5-1 * * * *", "*/0 * * * *", "1,,2 * * * *", "1, * * * *", "L * * * *", "* * L * *", "* * 15W * *",
	"* * * * 5#2", "? ? ? ? ?", "0-59/61 * * * *", "-1 * * * *", "1-2-3 * * * *", "1/2/3 * * * *", "*-5 * * * *",
	"? * * * *", "0 0 * FEB sat", "0 0 * february *", "@reboot", "@every 1x", "@every 0s", "@every 1.5h", "@EVERY 1h",
	"@every", "@fortnightly", "a * * * *", "1.5 * * * *", "+1 * * * *", " 0 0 * * * ", "0\t0 * * *", "00 007 * * *",
	"*/* * * * *", "mon * * * *", "0 0 * * mon-fri", "0 0 * * fri-mon", "0 0 * jan-mar/2 *", "@every -1h", "@every 500ms",
}

func times(schedule cron.Schedule, after time.Time, count int) []string {
	found := []string{}
	for t := schedule.Next(after); len(found) < count && !t.IsZero(); t = schedule.Next(t) {
		found = append(found, t.UTC().Format(time.RFC3339))
	}
	return found
}

func parse(expression, zone string) (cron.Schedule, error) {
	return cron.ParseStandard("TZ=" + zone + " " + expression)
}

func main() {
	out := goldens{Comment: "Made by make goldens from k8s.io/kubernetes/pkg/controller/cronjob; not edited by hand."}
	for _, moment := range moments {
		after, err := time.Parse(time.RFC3339, moment.after)
		if err != nil {
			panic(err)
		}
		for _, expression := range expressions {
			schedule, err := parse(expression, moment.zone)
			if err != nil {
				panic(err)
			}
			out.Next = append(out.Next, next{expression, moment.zone, moment.after, times(schedule, after, 8)})
			for _, elapsed := range []time.Duration{time.Minute, 5 * time.Hour, 26 * time.Hour, 90 * 24 * time.Hour} {
				out.Recent = append(out.Recent, mostRecent(expression, moment.zone, after, elapsed, schedule))
			}
		}
	}
	for _, expression := range doubtful {
		if accepts(expression) {
			out.Accepted = append(out.Accepted, expression)
		} else {
			out.Refused = append(out.Refused, expression)
		}
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(out); err != nil {
		panic(err)
	}
}

// accepts tells what cron takes, as Kubernetes' validation does: a panic is a refusal.
func accepts(expression string) (ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	_, err := cron.ParseStandard(expression)
	return err == nil && !strings.Contains(expression, "TZ")
}

func mostRecent(expression, zone string, earliest time.Time, elapsed time.Duration, schedule cron.Schedule) recent {
	now := earliest.Add(elapsed)
	job := &batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: metav1.NewTime(earliest)}}
	_, at, missed, err := mostRecentScheduleTime(job, now, schedule, true)
	if err != nil {
		panic(err)
	}
	found := recent{
		Schedule: expression, Zone: zone, Earliest: earliest.Format(time.RFC3339), Now: now.Format(time.RFC3339),
		Missed: []string{"none", "few", "many"}[missed],
	}
	if at != nil {
		text := at.UTC().Format(time.RFC3339)
		found.At = &text
	}
	return found
}
