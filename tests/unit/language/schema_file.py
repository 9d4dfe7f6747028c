"""Two pipeline files that use much of what there is: what schemas are held against."""

DEVRAMPS_FILE = """
version: "1.0.0"
pipeline:
  cloud_provider: AWS
  pipeline_updates_require_approval: DESTRUCTIVE_CHANGES_ONLY
  tracks: release
  stage_defaults:
    deployment_time_window: PACIFIC_WORKING_HOURS
  stages:
    - name: beta
      account_id: "100000000001"
      region: eu-west-1
      deployment_time_window: NONE
      vars: {tier: beta, replicas: 2, hosts: [a, b]}
      skip: [soak]
    - name: live
      account_id: "100000000002"
      region: eu-west-1
      auto_rollback_alarm_name: shop-5xx
  artifacts:
    Shop Server:
      id: server
      type: DEVRAMPS:DOCKER:BUILD
      architecture: linux/arm64
      host_size: medium
      rebuild_when_changed: [/server, /server.Dockerfile]
      params: {dockerfile: /server.Dockerfile, build_root: /, args: [RELEASE=1]}
    Storefront:
      type: DEVRAMPS:BUNDLE:BUILD
      per_stage: true
      dependencies: [node.22]
      envs: {API_HOST: "${{ vars.api_host }}", RETRIES: 3, DEBUG: false}
      params:
        build_commands: npm ci && npm run build
        file_path: /web.zip
  steps:
    - name: Infrastructure
      id: infra
      type: DEVRAMPS:TERRAFORM:SYNTHESIZE
      params:
        source: /terraform
        timeout: 40
        variables: {image: "${{ stage.artifacts.server.image_url }}", replicas: 3}
    - name: Schema
      type: DEVRAMPS:DATABASE:MIGRATE
      goes_after: [infra]
      params: {}
    - name: Static files
      type: DEVRAMPS:S3:UPLOAD
      goes_after: [infra]
      params: {}
    - name: Roll out
      type: DEVRAMPS:ECS:DEPLOY
      params:
        cluster_name: ${{ steps.infra.cluster }}
        service_name: ${{ steps.infra.service }}
        image_url: ${{ stage.artifacts["Shop Server"].image_url }}
        desired_count: ${{ vars.replicas }}
        circuit_breaker: ${{ vars.breaker }}
    - name: Smoke
      type: DEVRAMPS:APPROVAL:TEST
      params: {testCommand: npm run smoke, testType: jest, workingDirectory: ./web, timeout: 10}
    - name: Purge
      type: CUSTOM:cdn-purge
      host_size: small
      params: {zone: 7, anything: [{goes: here}]}
    - name: Soak
      type: DEVRAMPS:APPROVAL:BAKE
      params: {duration_minutes: 30}
  notifications:
    slack: {channel: "#shop", events: [stage_failed]}
  ephemeral_environments:
    preview:
      triggers: [{on: pull_request, target_branches: ["feat-*"]}]
      release: [{on: timeout, after_idle_hours: 12}]
      on_release: deploy_main
      account_id: "100000000001"
      region: eu-west-1
"""

OUR_FILE = """
version: "1"
pipeline:
  name: The shop
  tracks: {branches: [main, "release/*"], tags: ["v*"], paths: [/app]}
  timeout_minutes: 120
  windows:
    berlin: {zone: Europe/Berlin, hours: [{days: mon-fri, from: "09:00", to: "17:00"}]}
  stages:
    - name: staging
      target: local
      vars:
    - name: production
      deployment_time_window: berlin
      queue: fifo
      timeout_minutes: 30
      verify: {paths: [{path: /healthz, status: 200}]}
  artifacts:
    Shop:
      type: BUNDLE:BUILD
      timeout_minutes: 5
      params: {build_commands: [make, make dist], file_path: /dist}
  steps:
    - name: Deploy
      type: LOCAL:SERVICE:DEPLOY
      attempts: {max: 3, backoff_seconds: 5}
      on_sibling_failure: finish
      on_rollback: skip
      repeatable: true
      params:
        artifact: shop
        command: python3 server.py
        port: ${{ vars.port }}
        env: {GREETING: hello, WORKERS: 4}
        verify: {paths: [{path: "/${{ vars.path }}", status: "${{ vars.status }}"}], successes: 3}
    - name: Smoke test
      type: SCRIPT:EXECUTE
      timeout_minutes: 0.5
      attempts: 2
      params: {artifact: shop, commands: sh ./smoke.sh}
"""
